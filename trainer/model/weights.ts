/** The weights of a Hugging Face model folder: where each tensor lies, whether the decoder finds all it needs, their hash. */

import {createHash} from 'node:crypto';
import {existsSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {SweepError} from '../../core/error.ts';
import {product} from '../../core/numbers.ts';
import {chunksOf} from '../files/door.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import {isBlockType} from '../weights/ggml.ts';
import {readHeader, type StoredTensor} from '../weights/safetensors.ts';
import type {ModelConfig} from './config.ts';
import {decoderName} from './decoder-names.ts';
import {type Projection, siteOf} from './projections.ts';

export interface WeightIndex {
  folder: string;
  tensors: Map<string, StoredTensor>;
  /** The weight files under their names in the folder, which may be links. */
  files: string[];
  /**
   * SHA-256 (hex) over the bytes of the weight files, in order of their names; remembered while the files stay as they are.
   * @throws SweepError `bad-model` when a file cannot be read
   */
  hash(): Promise<string>;
}

const single = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

/**
 * Finds all tensors of model.safetensors, or of the shards that model.safetensors.index.json names.
 * @throws SweepError `missing-file`, `bad-model`
 */
export function openWeights(folder: string): WeightIndex {
  const alone = join(folder, single);
  const indexFile = join(folder, indexName);
  if (existsSync(alone)) {
    return {folder, tensors: named(readHeader(alone).tensors), files: [alone], hash: () => hashFiles([alone])};
  }
  const index = readJsonFile(indexFile);
  if (!index) {
    const sentence = existsSync(folder)
      ? `There is neither ${single} nor ${indexName} in ${folder}; the model is needed in safetensors format.`
      : `There is no model folder ${folder}.`;
    throw new SweepError('missing-file', sentence, {folder});
  }
  const shardOf = readIndex(index, indexFile);
  const shards = [...new Set(shardOf.values())].sort();
  const found = new Map(shards.map(shard => [shard, readHeader(join(folder, shard)).tensors]));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shard] of shardOf) {
    const stored = found.get(shard)?.get(name);
    if (!stored) {
      throw new SweepError(
        'bad-model',
        `${indexFile} says that ${name} is in ${shard}, but it is not; fetch the model again.`,
        {
          file: indexFile,
          tensor: name,
        },
      );
    }
    tensors.set(name, stored);
  }
  const files = shards.map(shard => join(folder, shard));
  return {folder, tensors: named(tensors), files, hash: () => hashFiles(files)};
}

/** By the decoder's own names: those of a model with other parts have the decoder inside. */
function named(tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  return new Map([...tensors].map(([name, stored]) => [decoderName(name), stored]));
}

/** Tensor name → shard name, both checked: a shard is a plain file name, so it cannot lead out of the folder. */
function readIndex(index: JsonObject, file: string): Map<string, string> {
  const bad = (what: string): SweepError =>
    new SweepError('bad-model', `${file} ${what}; fetch the model again.`, {file});
  const map = index['weight_map'];
  if (!isObject(map)) throw bad('has no weight_map');
  const entries: [string, string][] = [];
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string') throw bad(`names no file for ${name}`);
    if (shard !== basename(shard) || shard.includes('\\') || !shard.endsWith('.safetensors')) {
      throw bad(`names ${JSON.stringify(shard)} for ${name}, which is not a .safetensors file of this folder`);
    }
    entries.push([name, shard]);
  }
  return new Map(entries);
}

/** Every tensor the decoder needs with its shape (matrices are [out, in]), named as in transformers. */
export function weightShapes(config: ModelConfig): Map<string, number[]> {
  const {hiddenSize: hidden, intermediateSize: inner, vocabSize, headDim} = config;
  const queries = config.heads * headDim;
  const keys = config.kvHeads * headDim;
  const sizes: Record<Projection, [out: number, inputs: number]> = {
    qkv_proj: [queries + 2 * keys, hidden],
    q_proj: [queries, hidden],
    k_proj: [keys, hidden],
    v_proj: [keys, hidden],
    o_proj: [hidden, queries],
    gate_up_proj: [2 * inner, hidden],
    input_linear: [2 * inner, hidden],
    gate_proj: [inner, hidden],
    up_proj: [inner, hidden],
    down_proj: [hidden, inner],
    output_linear: [hidden, inner],
  };
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [vocabSize, hidden]]]);
  for (const layer of config.layers.keys()) {
    const set = (name: string, shape: number[]): unknown => shapes.set(`model.layers.${layer}.${name}`, shape);
    const {beforeAttention, behindAttention, beforeMlp, behindMlp} = config.norms;
    const norm = (name: string | undefined): unknown => name !== undefined && set(`${name}.weight`, [hidden]);
    norm(beforeAttention);
    if (config.qkNorm !== 'none') {
      set('self_attn.q_norm.weight', [config.qkNorm === 'heads' ? headDim : queries]);
      set('self_attn.k_norm.weight', [config.qkNorm === 'heads' ? headDim : keys]);
    }
    for (const name of [behindAttention, beforeMlp, behindMlp]) norm(name);
    for (const projection of config.projections) {
      const [out, inputs] = sizes[projection];
      shapes.set(`${siteOf(layer, projection)}.weight`, [out, inputs]);
      if (config.biases.includes(projection)) shapes.set(`${siteOf(layer, projection)}.bias`, [out]);
    }
  }
  shapes.set('model.norm.weight', [hidden]);
  if (!config.tiedEmbeddings) shapes.set('lm_head.weight', [vocabSize, hidden]);
  return shapes;
}

/** Numbers in all weights of the decoder. */
export function weightCount(config: ModelConfig): number {
  return [...weightShapes(config).values()].reduce((sum, shape) => sum + product(shape), 0);
}

/**
 * Makes sure that all the decoder needs is there, in the right shape and in a type that can be read; more may be there.
 * @throws SweepError `bad-model` naming the first tensor that is not as config.json says
 */
export function checkWeights(config: ModelConfig, index: Pick<WeightIndex, 'folder' | 'tensors'>): void {
  const bad = (tensor: string, what: string): SweepError =>
    new SweepError('bad-model', `The weights in ${index.folder} do not fit its config.json: ${what}.`, {
      folder: index.folder,
      tensor,
    });
  for (const [name, shape] of weightShapes(config)) {
    const stored = index.tensors.get(name);
    if (!stored && name === 'lm_head.weight') {
      throw bad(name, 'lm_head.weight is missing although tie_word_embeddings is false');
    }
    if (!stored) throw bad(name, `${name} is missing`);
    if (stored.shape.join() !== shape.join()) {
      throw bad(name, `${name} has shape [${stored.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    }
    if (!['F32', 'F16', 'BF16', 'F64'].includes(stored.dtype) && !isBlockType(stored.dtype)) {
      throw bad(name, `${name} is stored as ${stored.dtype}; only F32, F16, BF16 and F64 can be read`);
    }
  }
}

/** Whether a folder has weights in safetensors files. */
export function hasSafetensors(folder: string): boolean {
  return existsSync(join(folder, single)) || existsSync(join(folder, indexName));
}

/** By path, size and time of change, so that a file that is replaced is read again. */
const hashes = new Map<string, string>();

export async function hashFiles(files: string[]): Promise<string> {
  try {
    const state = files.map(file => {
      const {size, mtimeMs} = statSync(file);
      return [file, size, mtimeMs];
    });
    const key = JSON.stringify(state);
    const hash = hashes.get(key) ?? (await digest(files));
    hashes.set(key, hash);
    return hash;
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError('bad-model', `The weights cannot be read (${why}).`, {files});
  }
}

async function digest(files: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) await pipeline(chunksOf(file), hash, {end: false});
  return hash.digest('hex');
}
