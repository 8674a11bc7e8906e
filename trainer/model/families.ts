/**
 * The model families the decoder knows, as data: what is fixed by the family, and what transformers assumes where
 * config.json is silent (the defaults of its configuration classes).
 */
import type {ModelConfig} from './config.ts';

export interface Family {
  fixed: Pick<ModelConfig, 'normOffset' | 'sandwichNorms' | 'qkNorm' | 'qkvBias'>;
  /** Which layers see a sliding window: none; all, if there is one; or as `layer_types` and its older spellings say. */
  sliding: 'never' | 'every-layer' | 'by-layer';
  /** Gemma: embeddings times sqrt(hidden), and its own keys for activation, attention scale and local rotary base. */
  gemma: boolean;
  defaults: {
    tied: boolean;
    activation: string;
    maxPositions: number;
    ropeTheta: number;
    /** null: hidden size / heads. */
    headDim: number | null;
    slidingWindow: number | null;
    bosId: number | null;
    eosId: number | null;
    padId: number | null;
  };
}

const plain = {normOffset: 0, sandwichNorms: false, qkNorm: false, qkvBias: false} as const;
const noSpecialIds = {bosId: null, eosId: null, padId: null};

/** By `model_type` of config.json. */
export const families: Readonly<Record<string, Family>> = {
  llama: {
    fixed: plain,
    sliding: 'never',
    gemma: false,
    defaults: {
      tied: false,
      activation: 'silu',
      maxPositions: 2048,
      ropeTheta: 10_000,
      headDim: null,
      slidingWindow: null,
      bosId: 1,
      eosId: 2,
      padId: null,
    },
  },
  mistral: {
    fixed: plain,
    sliding: 'every-layer',
    gemma: false,
    defaults: {
      tied: false,
      activation: 'silu',
      maxPositions: 131_072,
      ropeTheta: 10_000,
      headDim: null,
      slidingWindow: 4096,
      bosId: 1,
      eosId: 2,
      padId: null,
    },
  },
  qwen2: {
    fixed: {...plain, qkvBias: true},
    sliding: 'by-layer',
    gemma: false,
    defaults: {
      tied: false,
      activation: 'silu',
      maxPositions: 32_768,
      ropeTheta: 10_000,
      headDim: null,
      slidingWindow: 4096,
      ...noSpecialIds,
    },
  },
  qwen3: {
    fixed: {...plain, qkNorm: true},
    sliding: 'by-layer',
    gemma: false,
    defaults: {
      tied: false,
      activation: 'silu',
      maxPositions: 32_768,
      ropeTheta: 10_000,
      headDim: 128,
      slidingWindow: 4096,
      ...noSpecialIds,
    },
  },
  gemma3_text: {
    fixed: {normOffset: 1, sandwichNorms: true, qkNorm: true, qkvBias: false},
    sliding: 'by-layer',
    gemma: true,
    defaults: {
      tied: true,
      activation: 'gelu_pytorch_tanh',
      maxPositions: 131_072,
      ropeTheta: 1_000_000,
      headDim: 256,
      slidingWindow: 4096,
      bosId: 2,
      eosId: 1,
      padId: 0,
    },
  },
};
