/** Whether the output head is the embedding matrix, where config.json and the weights do not say the same. */
import {closeSync, openSync, readSync, statSync} from 'node:fs';
import {readTensor, type StoredTensor} from '../weights/safetensors.ts';
import type {ModelConfig} from './config.ts';

const [embeddingName, headName] = ['model.embed_tokens.weight', 'lm_head.weight'];

/**
 * As transformers 5 takes them: a head that is stored beside the embeddings and differs from them is not tied, whatever
 * `tie_word_embeddings` says; where only the head is stored, the embeddings are the head.
 */
export function withHead(
  config: ModelConfig,
  tensors: ReadonlyMap<string, StoredTensor>,
): {config: ModelConfig; tensors: Map<string, StoredTensor>} {
  const own = new Map(tensors);
  const [embedding, head] = [own.get(embeddingName), own.get(headName)];
  if (!config.tiedEmbeddings || !head) return {config, tensors: own};
  if (!embedding) {
    own.set(embeddingName, {...head, name: embeddingName});
    return {config, tensors: own};
  }
  return {config: sameTensor(embedding, head) ? config : {...config, tiedEmbeddings: false}, tensors: own};
}

const compared = new Map<string, boolean>();

/** Whether two stored tensors have the same numbers; remembered while their files stay as they are. */
export function sameTensor(a: StoredTensor, b: StoredTensor): boolean {
  if (String(a.shape) !== String(b.shape)) return false;
  const stateOf = ({file, offset}: StoredTensor) => [file, offset, statSync(file).size, statSync(file).mtimeMs];
  const key = JSON.stringify([stateOf(a), stateOf(b)]);
  const same = compared.get(key) ?? (a.dtype === b.dtype ? sameBytes(a, b) : sameNumbers(a, b));
  compared.set(key, same);
  return same;
}

function sameNumbers(a: StoredTensor, b: StoredTensor): boolean {
  const [first, second] = [readTensor(a), readTensor(b)];
  return first.every((value, i) => Object.is(value, second[i]));
}

const chunk = 1 << 22;

function sameBytes(a: StoredTensor, b: StoredTensor): boolean {
  if (a.length !== b.length) return false;
  const [first, second] = [openSync(a.file, 'r'), openSync(b.file, 'r')];
  try {
    const [own, other] = [Buffer.alloc(chunk), Buffer.alloc(chunk)];
    for (let at = 0; at < a.length; at += chunk) {
      const size = Math.min(chunk, a.length - at);
      const read = readSync(first, own, 0, size, a.offset + at);
      if (readSync(second, other, 0, size, b.offset + at) !== read || read !== size) return false;
      if (own.compare(other, 0, size, 0, size) !== 0) return false;
    }
    return true;
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
