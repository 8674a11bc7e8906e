import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {type Family, families} from './families.ts';
import {isObject, type JsonObject, readJsonFile} from './json-file.ts';

/** One layer's attention: full, or the last `window` positions; and the base of its rotary frequencies. */
export interface LayerKind {
  /** Position i sees positions i - window + 1 .. i; null = all before it. */
  window: number | null;
  ropeTheta: number;
}

/** What the decoder needs to know of a model: families differ by these values only. */
export interface ModelConfig {
  /** `model_type` of config.json. */
  family: string;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  maxPositions: number;
  normEps: number;
  /** Norms multiply by (normOffset + w): 1 in Gemma, 0 elsewhere. */
  normOffset: 0 | 1;
  /** Gemma 3: norms after attention and after the MLP too (four a layer). */
  sandwichNorms: boolean;
  /** RMS norm over each head of q and k, before the rotary embedding. */
  qkNorm: boolean;
  /** q, k, v projections have a bias. */
  qkvBias: boolean;
  activation: 'silu' | 'gelu-tanh';
  /** Scores are multiplied by this. */
  attentionScale: number;
  /** Embeddings are multiplied by this. */
  embeddingScale: number;
  /** The head is the embedding matrix. */
  tiedEmbeddings: boolean;
  layers: LayerKind[];
  bosId: number | null;
  eosIds: number[];
  padId: number | null;
}

/**
 * Reads config.json (and the eos list of generation_config.json, which wins) of a Hugging Face folder, in the spelling
 * of transformers 5 or the older ones.
 * @throws SweepError `missing-file`, `bad-model` (values that cannot be), `unknown-architecture` (family or feature not
 *   supported)
 */
export function readConfig(folder: string): ModelConfig {
  const file = join(folder, 'config.json');
  const raw = readJsonFile(file);
  if (!raw) {
    const sentence = existsSync(folder)
      ? `There is no config.json in ${folder}; a model folder in Hugging Face layout is needed.`
      : `There is no model folder ${folder}.`;
    throw new SweepError('missing-file', sentence, {file});
  }
  const family = familyOf(raw, file);
  refuseUnsupported(raw, file);
  const keys = new Keys(raw, file);
  const generation = readJsonFile(join(folder, 'generation_config.json')) ?? {};

  const hiddenSize = keys.size('hidden_size');
  const heads = keys.size('num_attention_heads');
  const kvHeads = keys.size('num_key_value_heads', heads);
  if (heads % kvHeads !== 0) {
    throw keys.bad(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${kvHeads})`);
  }
  const headDim = keys.size('head_dim', family.defaults.headDim ?? hiddenSize / heads);
  if (headDim % 2 !== 0)
    throw keys.bad(`the size of a head (${headDim}) is not even, which the rotary embedding needs`);
  const vocabSize = keys.size('vocab_size');

  return {
    family: String(raw['model_type']),
    vocabSize,
    hiddenSize,
    intermediateSize: keys.size('intermediate_size'),
    heads,
    kvHeads,
    headDim,
    maxPositions: keys.size('max_position_embeddings', family.defaults.maxPositions),
    normEps: keys.positive('rms_norm_eps', 1e-6),
    ...family.fixed,
    activation: activationOf(raw, family, keys),
    attentionScale: (family.gemma ? keys.positive('query_pre_attn_scalar', 256) : headDim) ** -0.5,
    embeddingScale: family.gemma ? Math.sqrt(hiddenSize) : 1,
    tiedEmbeddings: keys.boolean('tie_word_embeddings', family.defaults.tied),
    layers: readLayers(raw, family, keys),
    bosId: keys.tokenIds('bos_token_id', family.defaults.bosId)[0] ?? null,
    eosIds:
      generation['eos_token_id'] == null
        ? keys.tokenIds('eos_token_id', family.defaults.eosId)
        : new Keys(generation, join(folder, 'generation_config.json')).tokenIds('eos_token_id', null),
    padId: keys.tokenIds('pad_token_id', family.defaults.padId)[0] ?? null,
  };
}

function familyOf(raw: JsonObject, file: string): Family {
  const name = raw['model_type'];
  if (typeof name === 'string' && Object.hasOwn(families, name)) return families[name]!;
  const what = typeof name === 'string' ? `model_type ${JSON.stringify(name)}` : 'no model_type';
  const known = Object.keys(families).join(', ');
  throw new SweepError('unknown-architecture', `${file} has ${what}; the families supported are ${known}.`, {
    file,
    family: name,
  });
}

/** Each of these would change the numbers without changing the weights' names, so silence would be wrong. */
function refuseUnsupported(raw: JsonObject, file: string): void {
  const missing: string[] = [];
  if (raw['quantization_config'] != null) missing.push('quantised weights (quantization_config)');
  for (const key of ['attention_bias', 'mlp_bias', 'use_bidirectional_attention']) {
    if (raw[key] != null && raw[key] !== false) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  for (const key of ['attn_logit_softcapping', 'final_logit_softcapping']) {
    if (raw[key] != null) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  for (const rope of ropeObjects(raw)) {
    const type = rope['rope_type'] ?? rope['type'] ?? 'default';
    if (type !== 'default') missing.push(`rotary scaling of type ${JSON.stringify(type)}`);
  }
  for (const {partial_rotary_factor: part} of [raw, ...ropeObjects(raw)]) {
    if (part != null && part !== 1) missing.push(`partial_rotary_factor: ${JSON.stringify(part)}`);
  }
  if (missing.length > 0) {
    throw new SweepError(
      'unknown-architecture',
      `${file} asks for ${missing.join(' and ')}, which is not supported yet.`,
      {
        file,
        missing,
      },
    );
  }
}

/** The rope objects of either spelling, also the ones nested by layer type. */
function ropeObjects(raw: JsonObject): JsonObject[] {
  const tops = [raw['rope_parameters'], raw['rope_scaling']].filter(isObject);
  return tops.flatMap(top => [top, ...Object.values(top).filter(isObject)]);
}

function activationOf(raw: JsonObject, family: Family, keys: Keys): ModelConfig['activation'] {
  const name = (family.gemma ? raw['hidden_activation'] : raw['hidden_act']) ?? family.defaults.activation;
  if (name === 'silu' || name === 'swish') return 'silu';
  if (name === 'gelu_pytorch_tanh') return 'gelu-tanh';
  throw new SweepError(
    'unknown-architecture',
    `${keys.file} asks for the activation ${JSON.stringify(name)}; silu and gelu_pytorch_tanh are supported.`,
    {file: keys.file, activation: name},
  );
}

function readLayers(raw: JsonObject, family: Family, keys: Keys): LayerKind[] {
  const count = keys.size('num_hidden_layers');
  if (count > 10_000) throw keys.bad(`num_hidden_layers is ${count}`);
  const sliding = slidingLayers(raw, count, family, keys);
  if (sliding.includes(true) && raw['sliding_window'] === null) {
    throw keys.bad('layers have sliding attention but sliding_window is null');
  }
  const window = sliding.includes(true)
    ? keys.size('sliding_window', family.defaults.slidingWindow ?? undefined)
    : null;
  const rope = isObject(raw['rope_parameters']) ? raw['rope_parameters'] : {};
  const theta = (parameters: unknown, fallback: number): number =>
    isObject(parameters) ? new Keys(parameters, keys.file).positive('rope_theta', fallback) : fallback;
  const fullTheta = theta(rope['full_attention'] ?? rope, keys.positive('rope_theta', family.defaults.ropeTheta));
  const slidingTheta = family.gemma
    ? theta(rope['sliding_attention'], keys.positive('rope_local_base_freq', 10_000))
    : theta(rope['sliding_attention'], fullTheta);
  return sliding.map(slides => ({window: slides ? window : null, ropeTheta: slides ? slidingTheta : fullTheta}));
}

/** For every layer, whether its attention has a window. */
function slidingLayers(raw: JsonObject, count: number, family: Family, keys: Keys): boolean[] {
  const layers = Array.from({length: count}, (_, layer) => layer);
  if (family.sliding === 'never') return layers.map(() => false);
  if (family.sliding === 'every-layer') return layers.map(() => raw['sliding_window'] !== null);
  const types = raw['layer_types'];
  if (types != null) {
    const known = ['full_attention', 'sliding_attention'];
    if (!Array.isArray(types) || types.length !== count || !types.every(type => known.includes(type))) {
      throw keys.bad(`layer_types is not a list of ${count} entries full_attention or sliding_attention`);
    }
    return types.map(type => type === 'sliding_attention');
  }
  if (family.gemma) {
    const written = raw['sliding_window_pattern'] == null ? '_sliding_window_pattern' : 'sliding_window_pattern';
    const pattern = keys.size(written, 6);
    return layers.map(layer => (layer + 1) % pattern !== 0);
  }
  // Qwen: the layers from max_window_layers on, if windows are used at all.
  if (!keys.boolean('use_sliding_window', false) || raw['sliding_window'] === null) return layers.map(() => false);
  const first = raw['max_window_layers'] === 0 ? 0 : keys.size('max_window_layers', 28);
  return layers.map(layer => layer >= first);
}

/** Typed reading of one JSON object; null counts as absent, as in transformers. */
class Keys {
  readonly raw: JsonObject;
  readonly file: string;

  constructor(raw: JsonObject, file: string) {
    this.raw = raw;
    this.file = file;
  }

  bad(what: string): SweepError {
    return new SweepError('bad-model', `In ${this.file} ${what}; fetch the model again or mend the file.`, {
      file: this.file,
    });
  }

  size(key: string, fallback?: number): number {
    const value = this.raw[key] ?? fallback;
    if (value === undefined) throw this.bad(`${key} is missing`);
    if (Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31) return Number(value);
    throw this.bad(`${key} is ${show(value)} where a whole number above 0 belongs`);
  }

  positive(key: string, fallback: number): number {
    const value = this.raw[key] ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw this.bad(`${key} is ${show(value)} where a number above 0 belongs`);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw[key] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.bad(`${key} is ${show(value)} where true or false belongs`);
  }

  /** A number, a list or null; -1, which older files write for "none", is left out. */
  tokenIds(key: string, fallback: number | null): number[] {
    const value = this.raw[key] === undefined ? fallback : this.raw[key];
    const ids = (Array.isArray(value) ? value : [value]).filter(id => id !== null && id !== -1);
    if (ids.every(id => Number.isInteger(id) && id >= 0 && id < 2 ** 31)) return ids;
    throw this.bad(`${key} is ${show(value)} where token ids belong`);
  }
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 80);
}
