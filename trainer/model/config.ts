import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {type Family, families, missingFeatures, textParts} from './families.ts';
import {isObject, type JsonObject, readJsonFile} from './json-file.ts';
import {Keys} from './keys.ts';
import {type LayerKind, readLayers} from './layer-kinds.ts';
import type {Projection} from './sites.ts';

export type {LayerKind};

/** What the decoder needs to know of a model: families differ by these values only. */
export interface ModelConfig {
  /** `model_type` of config.json; of its text part where it has several. */
  family: string;
  /** Where transformers has the decoder inside the whole model: `model`, or `model.language_model` beside other parts. */
  modulePath: string;
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
  /** q, k and v are one projection, gate and up another. */
  fusedProjections: boolean;
  /** The projections that have a bias. */
  biases: readonly Projection[];
  activation: 'silu' | 'gelu-tanh';
  /** Scores are multiplied by this. */
  attentionScale: number;
  /** Embeddings are multiplied by this. */
  embeddingScale: number;
  /** The head is the embedding matrix. */
  tiedEmbeddings: boolean;
  layers: LayerKind[];
  bosId: number | null;
  /** All ends of a text that generation_config.json and config.json name, in this order. */
  eosIds: number[];
  /** The same by file. */
  eosIn: {generation: number[]; config: number[]};
  padId: number | null;
}

/**
 * Reads config.json (and the eos list of generation_config.json) of a Hugging Face folder, in the spelling
 * of transformers 5 or the older ones.
 * @throws SweepError `missing-file`, `bad-model` (values that cannot be), `unknown-architecture` (family or feature not
 *   supported)
 */
export function readConfig(folder: string): ModelConfig {
  const file = join(folder, 'config.json');
  const whole = readJsonFile(file);
  if (!whole) {
    const sentence = existsSync(folder)
      ? `There is no config.json in ${folder}; a model folder in Hugging Face layout is needed.`
      : `There is no model folder ${folder}.`;
    throw new SweepError('missing-file', sentence, {file});
  }
  return configFrom(whole, readJsonFile(join(folder, 'generation_config.json')) ?? {}, file);
}

/** The same from the values of config.json and generation_config.json; `file` is what complaints name. */
export function configFrom(whole: JsonObject, generation: JsonObject, file: string): ModelConfig {
  const raw = textPart(whole, file);
  const family = familyOf(raw, file);
  refuseUnsupported(raw, file);
  const keys = new Keys(raw, file);

  const hiddenSize = keys.size('hidden_size');
  const heads = keys.size('num_attention_heads', family.sizes.num_attention_heads);
  const kvHeads = keys.size('num_key_value_heads', family.sizes.num_key_value_heads ?? heads);
  if (heads % kvHeads !== 0) {
    throw keys.bad(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${kvHeads})`);
  }
  const headDim = keys.size('head_dim', family.defaults.headDim ?? hiddenSize / heads);
  if (headDim % 2 !== 0)
    throw keys.bad(`the size of a head (${headDim}) is not even, which the rotary embedding needs`);
  const vocabSize = keys.size('vocab_size', family.sizes.vocab_size);

  return {
    family: String(raw['model_type']),
    modulePath: raw === whole ? 'model' : 'model.language_model',
    vocabSize,
    hiddenSize,
    intermediateSize: keys.size('intermediate_size'),
    heads,
    kvHeads,
    headDim,
    maxPositions: keys.size('max_position_embeddings', family.defaults.maxPositions),
    normEps: keys.positive('rms_norm_eps', family.defaults.normEps),
    ...family.fixed,
    biases: biasesOf(family, keys),
    activation: activationOf(raw, family, keys),
    attentionScale: (family.gemma ? keys.positive('query_pre_attn_scalar', 256) : headDim) ** -0.5,
    embeddingScale: family.gemma ? Math.sqrt(hiddenSize) : 1,
    tiedEmbeddings: keys.boolean('tie_word_embeddings', family.defaults.tied),
    layers: readLayers(raw, family, keys, headDim),
    bosId: keys.tokenIds('bos_token_id', family.defaults.bosId)[0] ?? null,
    ...endsIn(keys, family, new Keys(generation, join(dirname(file), 'generation_config.json'))),
    padId: keys.tokenIds('pad_token_id', family.defaults.padId)[0] ?? null,
  };
}

function endsIn(keys: Keys, family: Family, generation: Keys): Pick<ModelConfig, 'eosIds' | 'eosIn'> {
  const own = generation.tokenIds('eos_token_id', null);
  // What a family takes where its files are silent is no end beside one that they name.
  const eosIn = {generation: own, config: keys.tokenIds('eos_token_id', own.length > 0 ? null : family.defaults.eosId)};
  return {eosIds: [...new Set([...eosIn.generation, ...eosIn.config])], eosIn};
}

/** The decoder's own part of config.json; what is said of the whole holds for it too. */
function textPart(whole: JsonObject, file: string): JsonObject {
  const type = whole['model_type'];
  const inner = typeof type === 'string' && Object.hasOwn(textParts, type) ? textParts[type] : undefined;
  if (inner === undefined) return whole;
  const text = whole['text_config'];
  if (!isObject(text)) throw new Keys(whole, file).bad('text_config is missing');
  const {vision_config: _, ...rest} = whole;
  return {...rest, ...text, model_type: inner};
}

function familyOf(raw: JsonObject, file: string): Family {
  const name = raw['model_type'];
  if (typeof name === 'string' && Object.hasOwn(families, name)) return families[name]!;
  const what = typeof name === 'string' ? `model_type ${JSON.stringify(name)}` : 'no model_type';
  const known = [...Object.keys(families), ...Object.keys(textParts)].join(', ');
  const missing = missingFeatures
    .filter(({keys}) => keys.some(key => raw[key] != null && raw[key] !== false))
    .map(({feature}) => feature);
  const needs = missing.length > 0 ? ` and needs ${missing.join(', ')}, which the decoder has not` : '';
  throw new SweepError('unknown-architecture', `${file} has ${what}${needs}; the families supported are ${known}.`, {
    file,
    family: name,
    missing,
  });
}

/** Each of these would change the numbers without changing the weights' names, so silence would be wrong. */
function refuseUnsupported(raw: JsonObject, file: string): void {
  const missing: string[] = [];
  if (raw['quantization_config'] != null) missing.push('quantised weights (quantization_config)');
  for (const key of ['use_bidirectional_attention']) {
    if (raw[key] != null && raw[key] !== false) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  for (const key of ['attn_logit_softcapping', 'final_logit_softcapping']) {
    if (raw[key] != null) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  for (const {partial_rotary_factor: part} of [raw, ...ropeObjects(raw)]) {
    if (part != null && part !== 1) missing.push(`partial_rotary_factor: ${JSON.stringify(part)}`);
  }
  if (missing.length > 0) {
    throw new SweepError('unknown-architecture', `${file} asks for ${missing.join(' and ')}, which is not supported.`, {
      file,
      missing,
    });
  }
}

/** The rope objects of either spelling, also the ones nested by layer type. */
function ropeObjects(raw: JsonObject): JsonObject[] {
  const tops = [raw['rope_parameters'], raw['rope_scaling']].filter(isObject);
  return tops.flatMap(top => [top, ...Object.values(top).filter(isObject)]);
}

function biasesOf({qkvBias, fixed}: Family, keys: Keys): Projection[] {
  const attention: Projection[] = fixed.fusedProjections ? ['qkv_proj'] : ['q_proj', 'k_proj', 'v_proj'];
  const mlp: Projection[] = fixed.fusedProjections ? ['gate_up_proj'] : ['gate_proj', 'up_proj'];
  const all = keys.boolean('attention_bias', false);
  return [
    ...(qkvBias || all ? attention : []),
    ...(all ? (['o_proj'] as const) : []),
    ...(keys.boolean('mlp_bias', false) ? [...mlp, 'down_proj' as const] : []),
  ];
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
