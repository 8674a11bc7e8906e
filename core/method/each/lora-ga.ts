import type {MethodDescription} from '../method.ts';
import {pairShapes, residualWork} from '../pair.ts';

export const loraGa: MethodDescription = {
  doc: "LoRA-GA: starts from singular vectors of the loss's gradient in each weight.",
  alsoKnownAs: ['loraga', 'lora_ga'],
  example: '{batches: 8}',
  title: 'LoRA-GA',
  formula:
    'G = ∂loss/∂W over the first batches = U S Vᵀ\nA = first rank rows of Vᵀ\nB = next rank columns of U·S, times out^¼ / √gamma\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'LoRA-GA: Low-Rank Adaptation with Gradient Approximation',
    authors: 'Wang et al.',
    year: 2024,
    arXiv: '2407.05000',
  },
  trains:
    "A and B, which begin as singular vectors of the loss's gradient, with B as long as PEFT's `stable` scale makes it; the base loses their product.",
  cost: 'A step costs what LoRA costs; before it, `batches` gradients of all adapted weights and a factorisation of each. The rank can be half the smaller side of a weight at most.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published. A has rows of length 1, and the loss is steep along them: expect lower rates than LoRA's.",
  },
  options: {
    batches: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 100_000},
      doc: "The start is made of the loss's gradient over the first this many batches of the training, in the order of the trial's seed.",
      unit: 'batches',
      example: '8',
      default: 1,
      alsoKnownAs: ['steps', 'gradient_batches', 'iters'],
      interacts: 'Together with the batch size it decides how many rows the gradient sees.',
    },
    gamma: {
      type: {kind: 'number', above: 0, atMost: 1_000_000},
      doc: 'B is scaled by out^¼ / √gamma: the larger gamma, the smaller the start. 16 is what the authors and PEFT take.',
      example: '16',
      default: 16,
      alsoKnownAs: ['stable_gamma'],
    },
  },
  gradient: true,
  residual: true,
  shapes: pairShapes,
  obstacle({inputs, outputs}, {rank}) {
    const most = Math.floor(Math.min(inputs, outputs) / 2);
    if (rank <= most) return undefined;
    const why = `has fewer than the 2 · ${rank} singular vectors that lora-ga starts from; use a rank of at most ${most}`;
    return {code: 'rank-too-large', why, most};
  },
  work: residualWork,
};
