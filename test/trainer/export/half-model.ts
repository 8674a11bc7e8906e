/** Small model folders whose weights float16 holds exactly, with a byte-level tokenizer: what a GGUF file must give back bit by bit. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {random} from '../../../trainer/math/random.ts';
import {configFrom} from '../../../trainer/model/read-config.ts';
import {weightShapes} from '../../../trainer/model/weights.ts';
import {writeSafetensors} from '../../../trainer/weights/safetensors.ts';

export const digits = {qwen2: '\\p{N}', 'llama-bpe': '\\p{N}{1,3}'} as const;

const cl100k = (number: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${number}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** The 256 bytes as GPT-2 writes them. */
function byteLetters(): string[] {
  const shown = [...Array(256).keys()].filter(k => (k > 32 && k < 127) || (k > 160 && k !== 173));
  let next = 256;
  return [...Array(256).keys()].map(k => String.fromCodePoint(shown.includes(k) ? k : next++));
}

/** A tokenizer.json of the 256 bytes, two merges and two added tokens: 260 ids. */
export function byteTokenizer(pre: keyof typeof digits): object {
  const tokens = [...byteLetters(), 'he', 'hel'];
  return {
    version: '1.0',
    added_tokens: [
      {id: 258, content: '<|end|>', special: true, single_word: false, lstrip: false, rstrip: false, normalized: false},
      {id: 259, content: '<tool>', special: false, single_word: false, lstrip: false, rstrip: false, normalized: false},
    ],
    normalizer: pre === 'qwen2' ? {type: 'NFC'} : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {type: 'Split', pattern: {Regex: cl100k(digits[pre])}, behavior: 'Isolated', invert: false},
        {type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false},
      ],
    },
    post_processor: null,
    decoder: {type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false},
    model: {
      type: 'BPE',
      ignore_merges: pre === 'llama-bpe',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [
        ['h', 'e'],
        ['he', 'l'],
      ],
    },
  };
}

export type HalfFamily = 'llama' | 'qwen2' | 'qwen3';

export function writeHalfModel(folder: string, family: HalfFamily, changes: Record<string, unknown> = {}): void {
  mkdirSync(folder, {recursive: true});
  const config = {
    ...{model_type: family, vocab_size: 264, hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2},
    ...{num_attention_heads: 4, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 128, rms_norm_eps: 1e-5},
    ...{rope_theta: 500_000, tie_word_embeddings: family !== 'llama', eos_token_id: 258, bos_token_id: null},
    ...changes,
  };
  const json = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', config);
  json('tokenizer.json', byteTokenizer(family === 'llama' ? 'llama-bpe' : 'qwen2'));
  json('tokenizer_config.json', {eos_token: '<|end|>', chat_template: '{{ messages[0].content }}'});
  const stream = random(7, family);
  const tensors = [...weightShapes(configFrom(config, {}, folder))].map(([name, shape]) => {
    const size = shape.reduce((all, length) => all * length, 1);
    // Multiples of 2⁻¹⁰ below 1: halves.
    const data = stream.uniform(size, -1, 1).map(value => Math.round(1023 * value) / 1024);
    return [name, {shape, data}] as const;
  });
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors));
}
