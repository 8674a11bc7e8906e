import type {MethodName} from '../sweep/sweep.ts';
import type {KnownRates, MethodDescription} from './method.ts';

const study = 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning, arXiv 2602.04998';

/** Mean of GSM8K and MATH after MetaMath training, Qwen3-0.6B-Base; mean of three runs. */
function qwen(best: number, from: number, to: number): KnownRates {
  const source = `mean of GSM8K and MATH accuracy, three runs; ${study}`;
  return {model: 'Qwen3-0.6B-Base', rank: 128, batchSize: 64, best, good: {from, to}, source};
}

/** The same for gemma-3-1b-pt. */
function gemma(batchSize: number, best: number, from: number, to: number): KnownRates {
  const source = `mean accuracy on mathematical reasoning, three runs; ${study}`;
  return {model: 'gemma-3-1b-pt', rank: 128, batchSize, best, good: {from, to}, source};
}

/** One row a method, in the order in which they are shown. */
export const methods: Readonly<Record<MethodName, MethodDescription>> = {
  lora: {
    name: 'lora',
    title: 'LoRA',
    formula: 'y = W x + s·B A x\nA ~ U(±1/√in), B = 0',
    paper: {
      title: 'LoRA: Low-Rank Adaptation of Large Language Models',
      authors: 'Hu et al.',
      year: 2021,
      arXiv: '2106.09685',
    },
    trained: 'A and B; the base W stays as it is. Training starts exactly at the base model.',
    cost: 'The measure of the others: rank · (in + out) parameters a layer, nothing to prepare.',
    knownRates: [
      qwen(2e-4, 2e-5, 6.3246e-4),
      gemma(16, 2e-4, 1.1247e-4, 3.5566e-4),
      gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
      gemma(128, 1.1247e-3, 3.5566e-4, 1.1247e-3),
    ],
    sharpness: {
      published: 1,
      doc: 'The measure of the others. With B = 0 the smallest eigenvalue is about as large in magnitude as the largest.',
    },
  },
  pissa: {
    name: 'pissa',
    title: 'PiSSA',
    formula: 'W = U S Vᵀ, largest rank triplets\nA = √(S/s) Vᵀ, B = U √(S/s)\ny = (W - s·B₀A₀) x + s·B A x',
    paper: {
      title: 'PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models',
      authors: 'Meng et al.',
      year: 2024,
      arXiv: '2404.02948',
    },
    trained: 'A and B, which begin as the principal part of W; the rest of W is frozen.',
    cost: 'A step costs what LoRA costs; before it, a factorisation of each weight (exact, or faster with `iterations`).',
    knownRates: [
      qwen(2e-5, 3.5566e-6, 1.1247e-4),
      gemma(16, 1.1247e-4, 6.3246e-5, 2e-4),
      gemma(64, 2e-4, 1.1247e-4, 6.3246e-4),
      gemma(128, 3.5566e-4, 1.1247e-4, 6.3246e-4),
    ],
    sharpness: {
      published: 12,
      doc: "By far the sharpest: it trains the largest singular directions of each weight. About 12 times LoRA's in the study, 7 in this project's demo (query projections); so its rates lie lower.",
    },
  },
  milora: {
    name: 'milora',
    title: 'MiLoRA',
    formula: 'W = U S Vᵀ, smallest rank triplets\nA = √(S/s) Vᵀ, B = U √(S/s)\ny = (W - s·B₀A₀) x + s·B A x',
    paper: {
      title: 'MiLoRA: Harnessing Minor Singular Components for Parameter-Efficient LLM Finetuning',
      authors: 'Wang et al.',
      year: 2024,
      arXiv: '2406.09044',
    },
    trained: 'A and B, which begin as the minor part of W; the principal part is frozen.',
    cost: 'A step costs what LoRA costs; before it, a factorisation of each weight (exact, or faster with `iterations`).',
    knownRates: [
      qwen(6.3246e-5, 1.1247e-5, 3.5566e-4),
      gemma(16, 2e-4, 1.1247e-4, 3.5566e-4),
      gemma(64, 3.5566e-4, 2e-4, 6.3246e-4),
      gemma(128, 6.3246e-4, 2e-4, 1.1247e-3),
    ],
    sharpness: {
      published: 2.1,
      doc: "About 2.1 times LoRA's in the study, no larger than LoRA's in this project's demo.",
    },
  },
  'init-ab': {
    name: 'init-ab',
    title: 'Init[AB]',
    formula: 'A, B ~ U(±1/√in)\ny = (W - s·B₀A₀) x + s·B A x',
    paper: {
      title: 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning (the variant as compared there)',
      authors: 'the study',
      year: 2026,
      arXiv: '2602.04998',
    },
    trained:
      'A and B, both drawn at random; their product is subtracted from W, so that training starts at the base model.',
    cost: 'What LoRA costs; the start is one product to subtract.',
    knownRates: [
      qwen(1.1247e-4, 1.1247e-5, 6.3246e-4),
      gemma(16, 3.5566e-4, 2e-4, 3.5566e-4),
      gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
      gemma(128, 1.1247e-3, 6.3246e-4, 1.1247e-3),
    ],
    sharpness: {
      published: 1.8,
      doc: "About 1.8 times LoRA's in the study, about LoRA's in this project's demo.",
    },
  },
  dora: {
    name: 'dora',
    title: 'DoRA',
    formula:
      'V = W + s·B A,  n = ‖V‖ of each output row, held constant in the gradient\ny = (m / n) ∘ V x,  m = n at the start\nA ~ U(±1/√in), B = 0',
    paper: {
      title: 'DoRA: Weight-Decomposed Low-Rank Adaptation',
      authors: 'Liu et al.',
      year: 2024,
      arXiv: '2402.09353',
    },
    trained: 'A, B and the magnitude m of each output row; the base W stays as it is.',
    cost: 'Slower and larger than LoRA: the norms of W + s·B A are computed anew in each step; `out` more parameters a layer.',
    knownRates: [
      qwen(1.1247e-4, 1.1247e-5, 6.3246e-4),
      gemma(16, 3.5566e-4, 2e-4, 3.5566e-4),
      gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
      gemma(128, 1.1247e-3, 6.3246e-4, 1.1247e-3),
    ],
    sharpness: {
      published: null,
      doc: "About LoRA's: 0.9 times in this project's demo.",
    },
  },
  rslora: {
    name: 'rslora',
    title: 'rsLoRA',
    formula: 'y = W x + (alpha / √rank)·B A x\nA ~ U(±1/√in), B = 0',
    paper: {
      title: 'A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA',
      authors: 'Kalajdzievski',
      year: 2023,
      arXiv: '2312.03732',
    },
    trained:
      'What LoRA trains. It is LoRA with alpha · √rank in place of alpha, so that the size of an update does not shrink with the rank.',
    cost: 'What LoRA costs.',
    knownRates: [],
    sharpness: {
      published: null,
      doc: "Between √rank and rank times LoRA's, as the scale is √rank times LoRA's. So its rates lie lower, the more so the larger the rank.",
    },
  },
  olora: {
    name: 'olora',
    title: 'OLoRA',
    formula: 'W = Q R\nA = first rank rows of R, B = first rank columns of Q\ny = (W - s·B₀A₀) x + s·B A x',
    paper: {
      title: 'OLoRA: Orthonormal Low-Rank Adaptation of Large Language Models',
      authors: 'Büyükakyüz',
      year: 2024,
      arXiv: '2406.01775',
    },
    trained: 'A and B, which begin as the first rows and columns of a QR factorisation of W; the base keeps the rest.',
    cost: 'A step costs what LoRA costs; before it, the first `rank` columns of each weight are made orthonormal.',
    knownRates: [],
    sharpness: {
      published: null,
      doc: "Not published. Q has columns of length 1, far longer than the columns of a drawn A: expect lower rates than LoRA's.",
    },
  },
};
