import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import type {ModelConfig} from './config.ts';
import {Keys} from './config-keys.ts';
import {families, textParts} from './families.ts';
import type {Family} from './family.ts';
import {familyNames, lackedBy} from './lacking.ts';
import {partialRotary, readLayers} from './layer-kinds.ts';
import type {Projection} from './projections.ts';

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
  refuseUnsupported(raw, family, file);
  const keys = new Keys(raw, file);

  const hiddenSize = keys.size('hidden_size');
  const heads = keys.size('num_attention_heads', family.sizes.num_attention_heads);
  const kvHeads = keys.size('num_key_value_heads', family.sizes.num_key_value_heads ?? heads);
  if (heads % kvHeads !== 0) {
    throw keys.bad(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${kvHeads})`);
  }
  const headDim = keys.size('head_dim', family.defaults.headDim ?? hiddenSize / heads);
  const {intermediateSize} = family.keys;
  if (headDim % 2 !== 0)
    throw keys.bad(`the size of a head (${headDim}) is not even, which the rotary embedding needs`);
  const vocabSize = keys.size('vocab_size', family.sizes.vocab_size);

  return {
    family: String(raw['model_type']),
    modulePath: raw === whole ? 'model' : 'model.language_model',
    vocabSize,
    hiddenSize,
    intermediateSize: keys.size(
      intermediateSize,
      intermediateSize === 'shared_intermediate_size' ? family.sizes.shared_intermediate_size : undefined,
    ),
    heads,
    kvHeads,
    headDim,
    maxPositions: keys.size('max_position_embeddings', family.defaults.maxPositions),
    normEps: keys.positive('rms_norm_eps', family.defaults.normEps),
    ...family.fixed,
    biases: biasesOf(family, keys),
    activation: activationOf(raw, family, keys),
    rotarySize: partialRotary(raw, family, keys, headDim),
    ...scalesOf(family, keys, {hiddenSize, headDim}),
    ...capsOf(raw, family, keys),
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

/**
 * The decoder's own part of config.json; what is said of the whole holds for it too. Whether the head is the embeddings is
 * said of the whole only, which takes it so where it says nothing (Gemma3Config and Mistral3Config of transformers 5).
 */
function textPart(whole: JsonObject, file: string): JsonObject {
  const type = whole['model_type'];
  const inner = typeof type === 'string' && Object.hasOwn(textParts, type) ? textParts[type] : undefined;
  if (inner === undefined) return whole;
  const text = whole['text_config'];
  if (!isObject(text)) throw new Keys(whole, file).bad('text_config is missing');
  const {vision_config: _, ...rest} = whole;
  const own = text['model_type'] ?? inner[0];
  if (!inner.some(name => name === own)) throw unknown({...text, model_type: own}, file);
  return {...rest, ...text, model_type: own, tie_word_embeddings: whole['tie_word_embeddings'] ?? true};
}

function familyOf(raw: JsonObject, file: string): Family {
  const name = raw['model_type'];
  if (typeof name === 'string' && Object.hasOwn(families, name)) return families[name]!;
  throw unknown(raw, file);
}

function unknown(raw: JsonObject, file: string): SweepError {
  const {model_type: name} = raw;
  const what = typeof name === 'string' ? `model_type ${JSON.stringify(name)}` : 'no model_type';
  const missing = lackedBy(raw);
  const needs = missing.length > 0 ? ` and needs ${missing.join(', ')}, which the decoder has not` : '';
  const sentence = `${file} has ${what}${needs}; the families supported are ${familyNames().join(', ')}.`;
  return new SweepError('unknown-architecture', sentence, {file, family: name, missing});
}

/** Each of these would change the numbers without changing the weights' names, so silence would be wrong. */
function refuseUnsupported(raw: JsonObject, family: Family, file: string): void {
  const missing: string[] = [];
  if (raw['quantization_config'] != null) missing.push('quantised weights (quantization_config)');
  for (const key of ['use_bidirectional_attention']) {
    if (raw[key] != null && raw[key] !== false) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  for (const key of family.softCaps ? [] : ['attn_logit_softcapping', 'final_logit_softcapping']) {
    if (raw[key] != null) missing.push(`${key}: ${JSON.stringify(raw[key])}`);
  }
  if (raw['model_type'] === 'granitemoehybrid') {
    const {num_local_experts: experts = 8, layer_types: types, layers_block_type: blocks = types} = raw;
    if (experts !== 0 && experts !== null)
      missing.push(`a mixture of experts (num_local_experts: ${JSON.stringify(experts)})`);
    const attention = (kind: unknown) => kind === 'attention' || kind === 'full_attention';
    if (!Array.isArray(blocks) || !blocks.every(attention)) missing.push('state-space layers (layer_types)');
  }
  if (missing.length > 0) {
    throw new SweepError('unknown-architecture', `${file} asks for ${missing.join(' and ')}, which is not supported.`, {
      file,
      missing,
    });
  }
}

function scalesOf(
  {scales}: Family,
  keys: Keys,
  {hiddenSize, headDim}: Pick<ModelConfig, 'hiddenSize' | 'headDim'>,
): Pick<ModelConfig, 'attentionScale' | 'embeddingScale' | 'residualScale' | 'logitScale'> {
  const common = {attentionScale: headDim ** -0.5, embeddingScale: 1, residualScale: 1, logitScale: 1};
  if (scales === 'plain') return common;
  if (scales === 'granite')
    return {
      attentionScale: keys.positive('attention_multiplier', 1),
      embeddingScale: keys.positive('embedding_multiplier', 1),
      residualScale: keys.positive('residual_multiplier', 1),
      logitScale: 1 / keys.positive('logits_scaling', 1),
    };
  const embeddingScale = Math.sqrt(hiddenSize);
  if (scales === 'gemma-1') return {...common, embeddingScale};
  return {...common, embeddingScale, attentionScale: keys.positive('query_pre_attn_scalar', 256) ** -0.5};
}

function capsOf(raw: JsonObject, {softCaps}: Family, keys: Keys): Pick<ModelConfig, 'scoreCap' | 'logitCap'> {
  const cap = (key: string, byDefault: number | undefined): number | null =>
    byDefault === undefined || raw[key] === null ? null : keys.positive(key, byDefault);
  return {
    scoreCap: cap('attn_logit_softcapping', softCaps?.scores),
    logitCap: cap('final_logit_softcapping', softCaps?.logits),
  };
}

function biasesOf({biased, attentionBias, fixed}: Family, keys: Keys): Projection[] {
  const all = keys.boolean('attention_bias', attentionBias.byDefault) ? attentionBias.on : [];
  const attention: readonly Projection[] = ['qkv_proj', 'q_proj', 'k_proj', 'v_proj', 'o_proj'];
  const mlp = keys.boolean('mlp_bias', false) ? fixed.projections.filter(name => !attention.includes(name)) : [];
  return fixed.projections.filter(name => [...biased, ...all, ...mlp].includes(name));
}

function activationOf(raw: JsonObject, family: Family, keys: Keys): ModelConfig['activation'] {
  const written = raw[family.keys.activation] ?? family.defaults.activation;
  const name = (typeof written === 'string' && family.activations[written]) || written;
  if (name === 'silu' || name === 'swish') return 'silu';
  if (name === 'gelu_pytorch_tanh') return 'gelu-tanh';
  throw new SweepError(
    'unknown-architecture',
    `${keys.file} asks for the activation ${JSON.stringify(name)}; silu and gelu_pytorch_tanh are supported.`,
    {file: keys.file, activation: name},
  );
}
