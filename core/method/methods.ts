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
  'lora-ga': {
    name: 'lora-ga',
    title: 'LoRA-GA',
    formula:
      'G = ∂loss/∂W over the first rows = U S Vᵀ\nA = first rank rows of Vᵀ, times out^¼ / √gamma\nB = next rank columns of U, times out^¼ / √gamma\ny = (W - s·B₀A₀) x + s·B A x',
    paper: {
      title: 'LoRA-GA: Low-Rank Adaptation with Gradient Approximation',
      authors: 'Wang et al.',
      year: 2024,
      arXiv: '2407.05000',
    },
    trained:
      "A and B, which begin as singular vectors of the loss's gradient, as long as the authors' `stable` scale makes them; the base loses their product. `variant: peft` is PEFT's start: A of length 1, B with the gradient's singular values.",
    cost: 'A step costs what LoRA costs; before it, the gradient over 32 rows (`rows`) of all adapted weights and a factorisation of each. The rank can be half the smaller side of a weight at most.',
    knownRates: [],
    sharpness: {
      published: 60,
      doc: "About 60 times LoRA's: A and B are long, and the loss is steep along the gradient's own directions. The study found its best rate at 1.12e-5 (Qwen3-0.6B-Base, rank 128, batch size 64), more than a decade below LoRA's. Not published for PEFT's variant.",
    },
  },
  vera: {
    name: 'vera',
    title: 'VeRA',
    formula: 'y = W x + b ∘ B (d ∘ (A x))\nA, B random, frozen, shared by all layers\nd = 0.1, b = 0',
    paper: {
      title: 'VeRA: Vector-based Random Matrix Adaptation',
      authors: 'Kopiczko et al.',
      year: 2023,
      arXiv: '2310.11454',
    },
    trained:
      'Two vectors a layer, d [rank] and b [out]; A and B are drawn once (`seed`) and cut to the size of each layer. alpha has no part in it.',
    cost: 'By far the fewest trained numbers, rank + out a layer, so that ranks of 256 and more are usual; the two products with A and B cost what a LoRA of that rank costs.',
    knownRates: [],
    sharpness: {
      published: null,
      doc: "Not published. Its few numbers move the weights little: its rates lie one or two powers of ten above LoRA's.",
    },
  },
  gralora: {
    name: 'gralora',
    title: 'GraLoRA',
    formula:
      'W cut into k × k blocks (`blocks`), each with a pair of rank rank/k\ny_j = W x + s·Σ_i B_ji A_ij x_i\nA ~ U(±1/√(in/k)), B = 0',
    paper: {
      title: 'GraLoRA: Granular Low-Rank Adaptation for Parameter-Efficient Fine-Tuning',
      authors: 'Jung et al.',
      year: 2025,
      arXiv: '2505.20355',
    },
    trained: 'The pairs of all k² blocks; the base W stays as it is. The whole update can have rank k · rank.',
    cost: 'As many parameters and operations as LoRA of the same rank, in smaller products. k must divide rank, inputs and outputs.',
    knownRates: [],
    sharpness: {
      published: null,
      doc: 'Not published; it starts as LoRA does, with B = 0, so that its rates are a good first guess.',
    },
  },
  randlora: {
    name: 'randlora',
    title: 'RandLoRA',
    formula:
      'y = W x + s·B′ (Λ A Γ)′ x,  N = ⌈min(in, out)/rank⌉ bases\nA, B random, frozen, shared by all layers\nλ = 0, γ = 1/max(N, min(in, out)) … as PEFT flattens them',
    paper: {
      title: 'RandLoRA: Full-rank parameter-efficient fine-tuning of large models',
      authors: 'Albert et al.',
      year: 2025,
      arXiv: '2502.00987',
    },
    trained:
      "λ [rank, N] and γ [N, min(in, out)] a layer, which scale random bases. The paper's sum Σ_j B_j diag(λ_j) A diag(γ_j) pairs base j of B with row j of λ and γ; PEFT flattens B as (base, rank) and Λ A Γ as (rank, base), which pairs them otherwise. This project computes what PEFT computes, so that adapters mean the same in both.",
    cost: "The update has full rank: the smaller the rank, the more is trained (N grows). Two products with matrices of about min(in, out) · (in + out) numbers a layer make a step two to three times as slow as LoRA's.",
    knownRates: [],
    sharpness: {published: null, doc: 'Not published.'},
  },
  boft: {
    name: 'boft',
    title: 'BOFT',
    formula:
      'y = m ∘ (W R x) + bias,  R block-diagonal and orthogonal\nblocks (I - K)(I + K)⁻¹ with K = (X - Xᵀ)/2, of block_size rows\nX = 0, m = 1',
    paper: {
      title: 'Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization',
      authors: 'Liu et al.',
      year: 2023,
      arXiv: '2311.06243',
    },
    trained:
      'X of every block, and a factor m for each output; `butterfly_factor` rotations follow each other, each mixing inputs that lie further apart. Neither rank nor alpha has a part in it, except that a block is as large as the rank unless `block_size` says otherwise.',
    cost: 'in · block_size · butterfly_factor + out parameters a layer. The rotation of the inputs costs little; inverting the blocks costs block_size small operations a step.',
    knownRates: [],
    sharpness: {
      published: null,
      doc: "Not published. A rotation moves all of W at once: expect rates like LoRA's or a little above.",
    },
  },
  full: {
    name: 'full',
    title: 'Full fine-tuning',
    formula: 'y = W x,  W trained (all weights: projections, embeddings, norms)',
    paper: {
      title: 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning (the baseline)',
      authors: 'the study',
      year: 2026,
      arXiv: '2602.04998',
    },
    trained:
      'Every weight of the base, whatever `targets` says; weight decay leaves norms and biases alone. The result is a model folder in place of an adapter.',
    cost: "As many parameters as the model has, so that AdamW needs twice the model's memory in float32 beside it; a step costs about half as much again as LoRA's. Inference costs what the base costs.",
    knownRates: [],
    sharpness: {
      published: null,
      doc: "Its rates usually lie one power of ten below LoRA's: 1e-6 to 1e-4 for pretrained models.",
    },
  },
};
