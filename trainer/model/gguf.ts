/**
 * Models in one GGUF file (llama.cpp): its header through @huggingface/gguf, told in the words of a Hugging Face folder.
 * Quantised weights stay as they are in the file and are widened when they are needed.
 */

import {closeSync, realpathSync} from 'node:fs';
import {dirname} from 'node:path';
import {GGMLQuantizationType, gguf} from '@huggingface/gguf';
import {SweepError} from '../../core/error.ts';
import {product} from '../../core/numbers.ts';
import {openRegular, sizeOfRegular} from '../files/door.ts';
import type {JsonObject} from '../files/json-file.ts';
import {blockFormats, isBlockType} from '../weights/ggml.ts';
import {readTensor, type StoredTensor} from '../weights/safetensors.ts';
import type {ModelConfig} from './config.ts';
import {ggufNames, nameOf} from './gguf-names.ts';
import {configFrom} from './read-config.ts';
import {hashFiles, type WeightIndex} from './weights.ts';

/**
 * Opens a GGUF file.
 * @throws SweepError `missing-file`, `bad-model`, `unknown-architecture`
 */
export async function openGguf(path: string): Promise<{config: ModelConfig; weights: WeightIndex}> {
  const bytes = sizeOfRegular(path);
  if (bytes === undefined) throw new SweepError('missing-file', `There is no file ${path}.`, {file: path});
  const file = realpathSync(path);
  const {metadata, tensorInfos, tensorDataOffset} = await readHeader(file, path);
  const architecture = String(metadata['general.architecture']);
  const names = Object.hasOwn(ggufNames, architecture) ? ggufNames[architecture] : undefined;
  if (!names)
    throw new SweepError(
      'unknown-architecture',
      `${path} has the architecture ${JSON.stringify(architecture)}; those supported in GGUF files are ${Object.keys(ggufNames).join(', ')}. Other families are read from safetensors.`,
      {file: path},
    );
  const about = new About(Object.fromEntries(Object.entries(metadata)), architecture);
  if (about.number('split.count', 1) !== 1)
    throw bad(path, 'it is one part of a model in several files; join them with llama-gguf-split --merge');

  const tensors = new Map<string, StoredTensor>();
  const rope = new Map<string, Float32Array>();
  for (const {name, shape, dtype, offset} of tensorInfos) {
    const own = storedTensor(name, shape.map(Number), dtype, Number(tensorDataOffset + offset), {
      file,
      path,
      bytes,
    });
    if (/^rope_(freqs|factors_long|factors_short)\.weight$/.test(name)) rope.set(name, readTensor(own));
    const known = nameOf(name, names);
    if (known === null) continue;
    const [heads, keyHeads] = [about.number('attention.head_count'), about.number('attention.head_count_kv')];
    const turned = names.interleaved
      ? /q_proj/.test(known)
        ? heads
        : /k_proj/.test(known)
          ? keyHeads
          : undefined
      : undefined;
    tensors.set(known, {...own, name: known, interleavedHeads: turned});
  }
  const config = configFrom(configOf(about, names.family, tensors, rope), {}, path);
  return {
    // llama.cpp stores Gemma's norms with their 1 added.
    config: {...config, normOffset: 0},
    weights: {folder: dirname(path), tensors, files: [file], hash: () => hashFiles([file])},
  };
}

function bad(path: string, what: string): SweepError {
  return new SweepError('bad-model', `${path} cannot be used: ${what}.`, {file: path});
}

async function readHeader(file: string, path: string): Promise<Awaited<ReturnType<typeof gguf>>> {
  try {
    // The library opens it by itself: here it is seen to be a file.
    closeSync(openRegular(file).descriptor);
    const header = await gguf(file, {allowLocalFile: true});
    if (!header.littleEndian) throw new Error('it is for machines of the other byte order');
    return header;
  } catch (error) {
    throw bad(path, `it is not a sound GGUF file (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Values of the header, those of the architecture first. */
class About {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly architecture: string;

  constructor(metadata: Readonly<Record<string, unknown>>, architecture: string) {
    this.metadata = metadata;
    this.architecture = architecture;
  }

  /** A number, undefined where there is none: the configuration's own reader complains of those that are needed. */
  number(key: string): number | undefined;
  number(key: string, fallback: number): number;
  number(key: string, fallback?: number): number | undefined {
    const value = this.metadata[`${this.architecture}.${key}`] ?? this.metadata[key];
    if (typeof value === 'bigint') return Number(value);
    // A fraction was a decimal before it was a float32.
    if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(7));
    return fallback;
  }

  text(key: string): string | undefined {
    const value = this.metadata[`${this.architecture}.${key}`];
    return typeof value === 'string' ? value : undefined;
  }
}

/** Sizes stand innermost first in a GGUF file. */
function storedTensor(
  name: string,
  sizes: number[],
  type: number,
  offset: number,
  {file, path, bytes}: {file: string; path: string; bytes: number},
): StoredTensor {
  const shape = sizes.toReversed();
  const values = product(shape);
  const dtype = GGMLQuantizationType[type] ?? `type ${type}`;
  const plain = {F32: 4, F16: 2, BF16: 2, F64: 8}[dtype];
  if (plain === undefined && !isBlockType(dtype))
    throw bad(
      path,
      `${name} is stored as ${dtype}; F32, F16, BF16, ${Object.keys(blockFormats).join(', ')} can be read, so take another of the model's files`,
    );
  const block = isBlockType(dtype) ? blockFormats[dtype] : {values: 1, bytes: plain!};
  if ((sizes[0] ?? 1) % block.values !== 0) throw bad(path, `a row of ${name} is no whole number of ${dtype} blocks`);
  const length = (values / block.values) * block.bytes;
  if (!Number.isSafeInteger(length) || offset + length > bytes)
    throw bad(path, `${name} ends behind the end of the file (an incomplete download?)`);
  return {name, dtype: dtype as StoredTensor['dtype'], shape, file, offset, length};
}

/** config.json as transformers would write it. */
function configOf(
  about: About,
  family: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  rope: ReadonlyMap<string, Float32Array>,
): JsonObject {
  const hidden = about.number('embedding_length');
  const heads = about.number('attention.head_count');
  const layers = about.number('block_count');
  const headDim = about.number('attention.key_length') ?? (hidden ?? 0) / (heads ?? 1);
  const biased = (projection: string) => tensors.has(`model.layers.0.self_attn.${projection}.bias`);
  // Known of Gemma 3's 27B only, which is the one with 62 layers.
  const scalar =
    family === 'gemma3_text' && layers === 62 ? (hidden ?? 0) / (heads ?? 1) : about.number('attention.key_length');
  return {
    model_type: family,
    hidden_size: hidden,
    intermediate_size: about.number('feed_forward_length'),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: about.number('attention.head_count_kv') ?? heads,
    head_dim: headDim,
    query_pre_attn_scalar: scalar,
    max_position_embeddings: about.number('context_length'),
    rms_norm_eps: about.number('attention.layer_norm_rms_epsilon'),
    rope_theta: about.number('rope.freq_base'),
    rope_scaling: scalingOf(about, rope),
    partial_rotary_factor: partOf(about.number('rope.dimension_count'), headDim),
    original_max_position_embeddings: about.number('rope.scaling.original_context_length'),
    sliding_window: about.number('attention.sliding_window') ?? null,
    ...(family === 'qwen2' ? {} : {attention_bias: biased('q_proj')}),
    tie_word_embeddings: !tensors.has('lm_head.weight'),
    vocab_size: tensors.get('model.embed_tokens.weight')?.shape[0],
    bos_token_id: about.number('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: about.number('tokenizer.ggml.eos_token_id') ?? null,
    pad_token_id: about.number('tokenizer.ggml.padding_token_id') ?? null,
  };
}

/** Factors of each frequency stand in tensors: Llama 3.1's in one, LongRoPE's in two. */
function scalingOf(about: About, rope: ReadonlyMap<string, Float32Array>): JsonObject | null {
  const short = rope.get('rope_factors_short.weight') ?? rope.get('rope_freqs.weight');
  const long = rope.get('rope_factors_long.weight') ?? short;
  if (short && long)
    return {
      rope_type: 'longrope',
      short_factor: [...short],
      long_factor: [...long],
      original_max_position_embeddings: about.number('rope.scaling.original_context_length'),
      attention_factor: about.number('rope.scaling.attn_factor') ?? 1,
    };
  const type = about.text('rope.scaling.type');
  if (type === undefined || type === 'none') return null;
  // llama.cpp's keys of YaRN are others than transformers', and not read here.
  return {rope_type: type === 'yarn' ? 'yarn in a GGUF file' : type, factor: about.number('rope.scaling.factor')};
}

/** The share of a head that is turned; null where it is all of it. */
const partOf = (turned: number | undefined, headDim: number): number | null =>
  turned === undefined || turned === headDim ? null : turned / headDim;
