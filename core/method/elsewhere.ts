/** Methods of the field that are not here, so that none of them is taken for a slip of the pen in another one's name. */
import type {Relative} from './method.ts';
import {type MethodName, methods} from './methods.ts';

export interface Elsewhere extends Relative {
  /** The nearest of the methods that are here. */
  kin: MethodName;
  /** What it is called here. */
  written?: string;
}

/** Those that no method here calls its own kin; by the names that papers give them. */
const others: Readonly<Record<string, Elsewhere>> = {
  'LoRA+': {
    why: 'is LoRA with a larger learning rate for B',
    kin: 'lora',
    alsoKnownAs: ['loraplus', 'lora-plus', 'lora-p'],
    written: 'lora: {b_rate_ratio: 16}',
  },
  DyLoRA: {why: 'trains all ranks up to the largest at once', kin: 'lora', alsoKnownAs: ['dynamic-lora']},
  QLoRA: {
    why: 'keeps the base in 4 bits while it trains, which is expanded here',
    kin: 'lora',
    alsoKnownAs: ['quantized-lora', '4bit-lora', 'bnb-lora'],
  },
  QDoRA: {why: 'keeps the base in 4 bits while it trains, which is expanded here', kin: 'dora'},
  LoftQ: {
    why: 'makes its start of what a quantised base has lost, and bases are not quantised here',
    kin: 'pissa',
    alsoKnownAs: ['lora-fine-tuning-aware-quantization'],
  },
  'LoRA-One': {why: 'makes its start of a spectral step along the full gradient', kin: 'lora-ga'},
  'LoRA-SB': {
    why: 'trains a small matrix between frozen singular vectors of a gradient',
    kin: 'lora-ga',
    alsoKnownAs: ['lora-silver-bullet'],
  },
  'LoRA-XS': {why: 'trains a small square matrix between frozen singular vectors', kin: 'pissa'},
  'LoRA-Pro': {why: 'corrects the gradients of A and B in its optimizer', kin: 'lora'},
  ReLoRA: {why: 'merges its pair into the base again and again', kin: 'lora'},
  MoRA: {why: 'trains a square matrix in place of the pair', kin: 'gralora'},
  MELoRA: {why: 'trains a block-diagonal pair', kin: 'gralora', alsoKnownAs: ['mini-ensemble-lora']},
  Bat: {
    why: 'multiplies the weight with the blocks that it adds to it',
    kin: 'miss',
    alsoKnownAs: ['bone-bat', 'miss-bat'],
  },
  LoRETTA: {why: 'trains tensor trains', kin: 'lora', alsoKnownAs: ['loretta-adp', 'loretta-rep']},
  SSVD: {why: "rotates and scales the weight's own singular vectors", kin: 'pissa'},
  SVFT: {why: "trains coefficients of the weight's own singular vectors", kin: 'pissa'},
  'X-LoRA': {why: 'mixes several trained adapters', kin: 'lora', alsoKnownAs: ['mixture-of-lora-experts']},
  GLoRA: {
    why: 'trains scales and shifts of weights and biases beside the pair',
    kin: 'lora',
    alsoKnownAs: ['generalized-lora'],
  },
  UniLoRA: {why: 'makes all its factors from one short vector', kin: 'vera', alsoKnownAs: ['uni-lora']},
  TinyLoRA: {why: 'trains a handful of numbers for the whole model', kin: 'vera'},
  PVeRA: {why: "learns distributions from which VeRA's vectors are drawn", kin: 'vera'},
  NOLA: {why: 'trains the weights of sums of frozen random factors', kin: 'randlora'},
  'Tied-LoRA': {why: 'shares its factors among the layers', kin: 'vera'},
  'LN tuning': {why: 'trains the norms only', kin: 'full', alsoKnownAs: ['layernorm-tuning', 'norm-tuning']},
  BitFit: {why: 'trains the biases only', kin: 'full', alsoKnownAs: ['bias-tuning']},
  FourierFT: {
    why: "trains a few coefficients of the update's Fourier transform",
    kin: 'randlora',
    alsoKnownAs: ['fourier-ft', 'fourier-transform-fine-tuning'],
  },
  WaveFT: {why: "trains a few coefficients of the update's wavelet transform", kin: 'randlora'},
  'C³A': {
    why: 'trains circular convolutions',
    kin: 'randlora',
    alsoKnownAs: ['c3a', 'circular-convolution-adaptation'],
  },
  SHiRA: {
    why: 'trains a few entries of the weights',
    kin: 'full',
    alsoKnownAs: ['sparse-high-rank-adapter', 'sparse-high-rank-adapters'],
  },
  GaLore: {
    why: 'trains all weights with gradients projected to a low rank',
    kin: 'full',
    alsoKnownAs: ['gradient-low-rank-projection', 'q-galore'],
  },
  LISA: {
    why: 'trains all weights of a few layers drawn anew',
    kin: 'full',
    alsoKnownAs: ['layerwise-importance-sampled-adamw'],
  },
  OSF: {
    why: 'trains all weights orthogonally to their largest singular directions',
    kin: 'full',
    alsoKnownAs: ['orthogonal-subspace-fine-tuning'],
  },
  'Prefix tuning': {why: "trains keys and values that stand before the prompt's", kin: 'full', alsoKnownAs: ['prefix']},
  'Prompt tuning': {
    why: "trains embeddings that stand before the prompt's",
    kin: 'full',
    alsoKnownAs: ['prompt', 'soft-prompt', 'soft-prompts', 'multitask-prompt-tuning', 'cpt'],
  },
  'P-tuning': {
    why: "trains embeddings among the prompt's, made by a small network",
    kin: 'full',
    alsoKnownAs: ['p-tuning-v2', 'ptuning'],
  },
  'LLaMA-Adapter': {
    why: 'trains prompts inside the upper layers',
    kin: 'full',
    alsoKnownAs: ['adaption-prompt', 'adaptation-prompt'],
  },
  Adapters: {
    why: 'puts small networks between the layers',
    kin: 'full',
    alsoKnownAs: ['adapter', 'houlsby', 'houlsby-adapter', 'bottleneck-adapter', 'pfeiffer-adapter'],
  },
};

/** By the names that papers give them. */
export const elsewhere: Readonly<Record<string, Elsewhere>> = {
  ...others,
  ...Object.fromEntries(
    (Object.keys(methods) as MethodName[]).flatMap(kin => {
      const {relatives = {}}: {relatives?: Readonly<Record<string, Relative>>} = methods[kin];
      return Object.entries(relatives).map(([name, relative]) => [name, {...relative, kin}]);
    }),
  ),
};
