/**
 * The model families the decoder knows, as data: what is fixed by the family, and what transformers assumes where
 * config.json is silent (the defaults of its configuration classes).
 */

import type {Family} from './family.ts';
import {projections} from './projections.ts';

const qkv = ['q_proj', 'k_proj', 'v_proj'] as const;

const before = {beforeAttention: 'input_layernorm', beforeMlp: 'post_attention_layernorm'};

const behind = {behindAttention: 'post_attention_layernorm', behindMlp: 'post_feedforward_layernorm'};

const around = {beforeAttention: 'input_layernorm', beforeMlp: 'pre_feedforward_layernorm', ...behind};

const plain: Family['fixed'] = {
  normOffset: 0,
  norms: before,
  qkNorm: 'none',
  projections,
  rotaryInterleaved: false,
};

const llama: Family = {
  fixed: plain,
  biased: [],
  attentionBias: {on: [...qkv, 'o_proj'], byDefault: false},
  sliding: 'never',
  slidingPattern: null,
  unturned: 'none',
  localRotary: null,
  partialRotary: null,
  scales: 'plain',
  softCaps: null,
  keys: {activation: 'hidden_act', intermediateSize: 'intermediate_size'},
  activations: {},
  defaults: {
    tied: false,
    activation: 'silu',
    maxPositions: 2048,
    originalPositions: null,
    ropeTheta: 10_000,
    rope: null,
    normEps: 1e-6,
    headDim: null,
    slidingWindow: null,
    bosId: 1,
    eosId: 2,
    padId: null,
  },
  sizes: {},
};

const mistral: Family = {
  ...llama,
  sliding: 'every-layer',
  defaults: {...llama.defaults, maxPositions: 131_072, slidingWindow: 4096},
};

const qwen2: Family = {
  ...llama,
  biased: qkv,
  sliding: 'by-layer',
  defaults: {...llama.defaults, maxPositions: 32_768, slidingWindow: 4096, bosId: null, eosId: null},
};

const gemma: Family = {
  ...llama,
  fixed: {...plain, normOffset: 1},
  scales: 'gemma-1',
  activations: {gelu: 'gelu_pytorch_tanh'},
  defaults: {
    ...llama.defaults,
    tied: true,
    activation: 'gelu_pytorch_tanh',
    maxPositions: 8192,
    headDim: 256,
    bosId: 2,
    eosId: 1,
    padId: 0,
  },
};

const gemma2: Family = {
  ...gemma,
  fixed: {...plain, normOffset: 1, norms: around},
  sliding: 'by-layer',
  slidingPattern: {keys: [], byDefault: 2},
  scales: 'gemma',
  softCaps: {scores: 50, logits: 30},
  keys: {...llama.keys, activation: 'hidden_activation'},
  activations: {},
  defaults: {...gemma.defaults, slidingWindow: 4096},
  sizes: {vocab_size: 256_000, num_attention_heads: 8, num_key_value_heads: 4},
};

const olmo2: Family = {
  ...llama,
  fixed: {...plain, norms: behind, qkNorm: 'whole'},
  defaults: {...llama.defaults, normEps: 1e-5, bosId: null, eosId: 50_279, padId: 1},
};

const glm: Family = {
  ...llama,
  fixed: {
    ...plain,
    projections: [...qkv, 'o_proj', 'gate_up_proj', 'down_proj'],
    rotaryInterleaved: true,
  },
  attentionBias: {on: qkv, byDefault: true},
  partialRotary: 0.5,
  defaults: {
    ...llama.defaults,
    maxPositions: 131_072,
    normEps: 1.5625e-7,
    headDim: 128,
    bosId: null,
    eosId: [151_329, 151_336, 151_338],
    padId: 151_329,
  },
  sizes: {vocab_size: 151_552, num_attention_heads: 32, num_key_value_heads: 2},
};

const granite: Family = {...llama, scales: 'granite'};

/** By `model_type` of config.json. SmolLM and SmolLM 2 are Llamas with tied embeddings. */
export const families: Readonly<Record<string, Family>> = {
  llama,
  mistral,
  qwen2,
  qwen3: {
    ...qwen2,
    fixed: {...plain, qkNorm: 'heads'},
    biased: [],
    defaults: {...qwen2.defaults, headDim: 128},
  },
  smollm3: {
    ...llama,
    sliding: 'by-layer',
    unturned: 'no_rope_layers',
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
    fixed: {...plain, projections: ['qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj']},
    attentionBias: {on: ['qkv_proj', 'o_proj'], byDefault: false},
    sliding: 'every-layer',
    partialRotary: 1,
    defaults: {
      ...llama.defaults,
      maxPositions: 4096,
      originalPositions: 4096,
      normEps: 1e-5,
      eosId: 32_000,
      padId: 32_000,
    },
  },
  gemma,
  gemma2,
  gemma3_text: {
    ...gemma2,
    fixed: {...gemma2.fixed, qkNorm: 'heads'},
    slidingPattern: {keys: ['sliding_window_pattern', '_sliding_window_pattern'], byDefault: 6},
    localRotary: {key: 'rope_local_base_freq', theta: 10_000},
    softCaps: null,
    defaults: {...gemma2.defaults, maxPositions: 131_072, ropeTheta: 1_000_000},
    sizes: {...gemma2.sizes, vocab_size: 262_208},
  },
  olmo2,
  olmo3: {
    ...olmo2,
    sliding: 'by-layer',
    slidingPattern: {keys: [], byDefault: 4},
    localRotary: {key: null, theta: 500_000},
    defaults: {...olmo2.defaults, ropeTheta: 500_000, slidingWindow: 4096},
  },
  granite,
  /** Granite 4 without experts and state-space layers. */
  granitemoehybrid: {
    ...granite,
    fixed: {...plain, projections: [...qkv, 'o_proj', 'input_linear', 'output_linear']},
    unturned: 'unless-rope',
    keys: {...llama.keys, intermediateSize: 'shared_intermediate_size'},
    sizes: {shared_intermediate_size: 1024},
  },
  glm,
  glm4: {
    ...glm,
    fixed: {
      ...glm.fixed,
      norms: {...before, behindAttention: 'post_self_attn_layernorm', behindMlp: 'post_mlp_layernorm'},
    },
  },
  exaone4: {
    ...llama,
    fixed: {...plain, norms: behind, qkNorm: 'heads'},
    sliding: 'by-layer',
    slidingPattern: {keys: ['sliding_window_pattern'], byDefault: 4},
    unturned: 'without-window',
    defaults: {...llama.defaults, normEps: 1e-5, slidingWindow: 4096, bosId: 0},
  },
  ministral3: {
    ...mistral,
    defaults: {
      ...mistral.defaults,
      maxPositions: 262_144,
      rope: {
        rope_type: 'yarn',
        rope_theta: 1_000_000,
        factor: 16,
        original_max_position_embeddings: 16_384,
        mscale: 1,
        mscale_all_dim: 1,
        llama_4_scaling_beta: 0.1,
      },
      normEps: 1e-5,
      headDim: 128,
      slidingWindow: null,
      padId: 11,
    },
  },
};

/** Folders that hold more than a decoder: the `model_type` of the parts that may be one, found under `text_config`, the default first. */
export const textParts: Readonly<Record<string, readonly string[]>> = {
  gemma3: ['gemma3_text'],
  mistral3: ['mistral', 'ministral3'],
};
