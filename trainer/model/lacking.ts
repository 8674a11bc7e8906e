/** What the decoder has not: told of models of other families, by their names or by what their config.json says. */

import {isObject, type JsonObject} from '../files/json-file.ts';
import {families, textParts} from './families.ts';

const experts = 'a mixture of experts';
const linear = 'linear attention (gated delta rules)';
const stateSpace = 'state-space layers (Mamba)';
const latent = 'latent attention';
const convolutions = 'short convolutions instead of attention in some layers';
const images = 'images';
const layerNorms = 'norms that subtract a mean';
const noGate = 'an MLP without a gate';
const ownNames = 'weights under names of its own';
const joined = 'queries, keys and values in one weight';

/** By `model_type`; `_text` behind it means the same. */
const byName: Readonly<Record<string, readonly string[]>> = {
  qwen3_5: [linear, 'gated attention'],
  qwen3_5_moe: [linear, 'gated attention', experts],
  qwen3_next: [linear, 'gated attention', experts],
  qwen2_moe: [experts],
  qwen3_moe: [experts],
  qwen2_vl: ['rotary embeddings over three axes', images],
  qwen2_5_vl: ['rotary embeddings over three axes', images],
  qwen3_vl: ['rotary embeddings over three axes', images],
  gemma3n: [
    'alternating updates (AltUp)',
    'learnt augmented residuals',
    'an embedding for each layer',
    'sparse activations',
  ],
  gemma4: ['heads of two sizes', 'keys and values shared between layers', 'an embedding for each layer'],
  lfm2: [convolutions],
  lfm2_moe: [convolutions, experts],
  bitnet: ['ternary weights', 'squared activations', 'norms inside attention and MLP'],
  olmo: ['norms without weights'],
  olmoe: [experts],
  olmo_hybrid: [linear],
  gpt_oss: [experts, 'attention sinks'],
  mixtral: [experts],
  phimoe: [experts],
  llama4: [experts, 'attention in chunks'],
  granitemoe: [experts],
  granitemoeshared: [experts],
  falcon_h1: [stateSpace, 'multipliers of its own'],
  mamba: [stateSpace],
  mamba2: [stateSpace],
  falcon_mamba: [stateSpace],
  bamba: [stateSpace],
  jamba: [stateSpace, experts],
  zamba2: [stateSpace],
  nemotron_h: [stateSpace],
  recurrent_gemma: ['recurrent layers'],
  rwkv: ['recurrent layers'],
  deepseek_v2: [latent, experts],
  deepseek_v3: [latent, experts],
  kimi_k2: [latent, experts],
  glm4_moe: [experts],
  exaone_moe: [experts],
  minimax: [linear, experts],
  cohere: [layerNorms, 'attention and MLP side by side', 'scaled logits'],
  cohere2: [layerNorms, 'attention and MLP side by side', 'scaled logits'],
  phi: [layerNorms, 'attention and MLP side by side'],
  gpt2: [layerNorms, 'learned positions'],
  gpt_neox: [layerNorms],
  starcoder2: [layerNorms, noGate],
  stablelm: [layerNorms],
  nemotron: [layerNorms, 'squared activations', noGate],
  opt: [layerNorms, 'learned positions'],
  bloom: [layerNorms, 'ALiBi positions'],
  falcon: [layerNorms, 'attention and MLP side by side', joined],
  mpt: [layerNorms, 'ALiBi positions'],
  // Their layer_norm_epsilon is that of norms like Llama's.
  exaone: [ownNames],
  qwen: [joined, ownNames],
  internlm2: [joined, ownNames],
  chatglm: [joined, ownNames],
  baichuan: [joined, 'a head of normalised weights'],
  minicpm: ['scaled embeddings, residuals and logits of its own'],
  minicpm3: [latent],
  hunyuan_v1_dense: ['norms of queries and keys behind the rotary embedding', 'rotary scaling by alpha'],
  apertus: ['xIELU activations', noGate],
  arcee: ['squared activations', noGate],
};

const some = (value: unknown): boolean => value != null && value !== false && value !== 0;

/** What keys of config.json stand for, where the family is not known by its name. */
const byKey: readonly {keys: readonly string[]; feature: string; means?: (value: unknown) => boolean}[] = [
  {keys: ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'], feature: experts},
  {keys: ['is_encoder_decoder', 'encoder_layers', 'num_decoder_layers'], feature: 'an encoder beside the decoder'},
  {keys: ['state_size', 'ssm_cfg', 'mamba_d_state', 'time_step_rank'], feature: stateSpace},
  {keys: ['linear_num_key_heads', 'linear_conv_kernel_dim'], feature: linear},
  {keys: ['kv_lora_rank', 'q_lora_rank'], feature: latent},
  {keys: ['conv_L_cache'], feature: convolutions},
  {keys: ['layer_norm_eps', 'norm_epsilon'], feature: layerNorms},
  // GPT-2's norms subtract a mean, those of Qwen 1 and EXAONE 3.5 do not.
  {keys: ['layer_norm_epsilon'], feature: 'norms that may subtract a mean (layer_norm_epsilon)'},
  {keys: ['n_positions', 'type_vocab_size'], feature: 'learned positions'},
  {keys: ['position_embedding_type'], feature: 'learned positions', means: value => some(value) && value !== 'rope'},
  {keys: ['alibi', 'use_alibi'], feature: 'ALiBi positions'},
  {keys: ['attn_logit_softcapping', 'final_logit_softcapping', 'logit_softcap'], feature: 'capped logits'},
  {
    keys: ['residual_multiplier', 'logits_scaling', 'logit_scale'],
    feature: 'scaled residuals or logits',
    means: value => some(value) && value !== 1,
  },
  {keys: ['parallel_attn', 'use_parallel_residual'], feature: 'attention and MLP side by side'},
  {keys: ['altup_num_inputs'], feature: 'alternating updates (AltUp)'},
  {keys: ['hidden_size_per_layer_input'], feature: 'an embedding for each layer'},
];

/** What a model needs that the decoder has not; empty where that is not known. */
export function lackedBy(whole: JsonObject): string[] {
  const inner = isObject(whole['text_config']) ? whole['text_config'] : {};
  for (const {model_type: type} of [whole, inner]) {
    const name = typeof type === 'string' ? type.replace(/_text$/, '') : '';
    if (Object.hasOwn(byName, name)) return [...byName[name]!];
  }
  const found = [whole, inner].flatMap(raw =>
    byKey.filter(({keys, means = some}) => keys.some(key => means(raw[key]))).map(({feature}) => feature),
  );
  const kinds = [whole, inner].flatMap(({layer_types: types}) => (Array.isArray(types) ? types : []));
  if (kinds.some(kind => kind === 'linear_attention')) found.push(linear);
  if (kinds.some(kind => kind === 'mamba')) found.push(stateSpace);
  if (kinds.some(kind => kind === 'conv')) found.push(convolutions);
  if (some(whole['vision_config'])) found.push(images);
  if (some(whole['audio_config'])) found.push('sound');
  return [...new Set(found)];
}

/** The names of all families that can be used. */
export const familyNames = (): string[] => [...Object.keys(families), ...Object.keys(textParts)];
