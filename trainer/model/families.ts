/**
 * The model families the decoder knows, as data: what is fixed by the family, and what transformers assumes where
 * config.json is silent (the defaults of its configuration classes).
 */
import type {ModelConfig} from './config.ts';

export interface Family {
  fixed: Pick<ModelConfig, 'normOffset' | 'sandwichNorms' | 'qkNorm' | 'fusedProjections'>;
  /** q, k and v have a bias, whatever config.json says. */
  qkvBias: boolean;
  /** Which layers see a sliding window: none; all, if there is one; or as `layer_types` and its older spellings say. */
  sliding: 'never' | 'every-layer' | 'by-layer';
  /** SmolLM 3: `no_rope_layers` says which layers have no rotary embedding; every `no_rope_layer_interval`-th is the default. */
  layersWithoutRotary: boolean;
  /** Gemma: embeddings times sqrt(hidden), and its own keys for activation, attention scale and local rotary base. */
  gemma: boolean;
  defaults: {
    tied: boolean;
    activation: string;
    maxPositions: number;
    ropeTheta: number;
    normEps: number;
    /** null: hidden size / heads. */
    headDim: number | null;
    slidingWindow: number | null;
    bosId: number | null;
    eosId: number | null;
    padId: number | null;
  };
  /** Sizes that files of the family leave out. */
  sizes: Readonly<Partial<Record<'vocab_size' | 'num_attention_heads' | 'num_key_value_heads', number>>>;
}

const plain = {normOffset: 0, sandwichNorms: false, qkNorm: false, fusedProjections: false} as const;

const llama: Family = {
  fixed: plain,
  qkvBias: false,
  sliding: 'never',
  layersWithoutRotary: false,
  gemma: false,
  defaults: {
    tied: false,
    activation: 'silu',
    maxPositions: 2048,
    ropeTheta: 10_000,
    normEps: 1e-6,
    headDim: null,
    slidingWindow: null,
    bosId: 1,
    eosId: 2,
    padId: null,
  },
  sizes: {},
};

const qwen2: Family = {
  ...llama,
  qkvBias: true,
  sliding: 'by-layer',
  defaults: {...llama.defaults, maxPositions: 32_768, slidingWindow: 4096, bosId: null, eosId: null},
};

/** By `model_type` of config.json. SmolLM and SmolLM 2 are Llamas with tied embeddings. */
export const families: Readonly<Record<string, Family>> = {
  llama,
  mistral: {
    ...llama,
    sliding: 'every-layer',
    defaults: {...llama.defaults, maxPositions: 131_072, slidingWindow: 4096},
  },
  qwen2,
  qwen3: {
    ...qwen2,
    fixed: {...plain, qkNorm: true},
    qkvBias: false,
    defaults: {...qwen2.defaults, headDim: 128},
  },
  smollm3: {
    ...llama,
    sliding: 'by-layer',
    layersWithoutRotary: true,
    defaults: {
      ...llama.defaults,
      tied: true,
      maxPositions: 32_768,
      ropeTheta: 2_000_000,
      bosId: 128_000,
      eosId: 128_001,
      padId: 128_004,
    },
    sizes: {num_key_value_heads: 4},
  },
  phi3: {
    ...llama,
    fixed: {...plain, fusedProjections: true},
    sliding: 'every-layer',
    defaults: {...llama.defaults, maxPositions: 4096, normEps: 1e-5, eosId: 32_000, padId: 32_000},
  },
  gemma3_text: {
    ...llama,
    fixed: {normOffset: 1, sandwichNorms: true, qkNorm: true, fusedProjections: false},
    sliding: 'by-layer',
    gemma: true,
    defaults: {
      tied: true,
      activation: 'gelu_pytorch_tanh',
      maxPositions: 131_072,
      ropeTheta: 1_000_000,
      normEps: 1e-6,
      headDim: 256,
      slidingWindow: 4096,
      bosId: 2,
      eosId: 1,
      padId: 0,
    },
    sizes: {vocab_size: 262_208, num_attention_heads: 8, num_key_value_heads: 4},
  },
};

/** Folders that hold more than a decoder: the `model_type` of the part that is one, found under `text_config`. */
export const textParts: Readonly<Record<string, string>> = {gemma3: 'gemma3_text'};

/** What keys of config.json stand for that the decoder has not: told of a family that is not known. */
export const missingFeatures: readonly {keys: readonly string[]; feature: string}[] = [
  {keys: ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'], feature: 'a mixture of experts'},
  {keys: ['is_encoder_decoder', 'encoder_layers', 'num_decoder_layers'], feature: 'an encoder beside the decoder'},
  {keys: ['state_size', 'ssm_cfg', 'mamba_d_state', 'time_step_rank'], feature: 'state-space layers'},
  {keys: ['kv_lora_rank', 'q_lora_rank'], feature: 'latent attention'},
  {keys: ['layer_norm_eps', 'layer_norm_epsilon', 'norm_epsilon'], feature: 'norms that subtract a mean'},
  {keys: ['n_positions', 'position_embedding_type', 'type_vocab_size'], feature: 'learned positions'},
  {keys: ['alibi', 'use_alibi'], feature: 'ALiBi positions'},
  {keys: ['attn_logit_softcapping', 'final_logit_softcapping', 'logit_softcap'], feature: 'capped logits'},
  {keys: ['residual_multiplier', 'logits_scaling', 'logit_scale'], feature: 'scaled residuals or logits'},
  {keys: ['parallel_attn', 'use_parallel_residual'], feature: 'attention and MLP side by side'},
  {keys: ['vision_config', 'audio_config'], feature: 'images or sound'},
];
