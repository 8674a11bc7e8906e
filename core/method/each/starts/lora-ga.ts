import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, residualWork} from '../../pair.ts';

export const loraGa: MethodDescription = {
  doc: "LoRA-GA: starts from singular vectors of the loss's gradient in each weight.",
  alsoKnownAs: ['loraga', 'lora_ga'],
  example: '{rows: 32}',
  title: 'LoRA-GA',
  formula:
    'G = ∂loss/∂W over the first rows = U S Vᵀ\nA = first rank rows of Vᵀ, times out^¼ / √gamma\nB = next rank columns of U, times out^¼ / √gamma\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'LoRA-GA: Low-Rank Adaptation with Gradient Approximation',
    authors: 'Wang et al.',
    year: 2024,
    at: {arXiv: '2407.05000'},
  },
  trains:
    "A and B, which begin as singular vectors of the loss's gradient, as long as the authors' `stable` scale makes them; the base loses their product. `variant: peft` is PEFT's start: A of length 1, B with the gradient's singular values.",
  cost: 'A step costs what LoRA costs; before it, the gradient over 32 rows (`rows`) of all adapted weights and a factorisation of each. The rank can be half the smaller side of a weight at most.',
  knownRates: [],
  sharpness: {
    published: 60,
    doc: "About 60 times LoRA's: A and B are long, and the loss is steep along the gradient's own directions. The study found its best rate at 1.12e-5 (Qwen3-0.6B-Base, rank 128, batch size 64), more than a decade below LoRA's. Not published for PEFT's variant.",
  },
  options: {
    ...pairOptions,
    variant: {
      type: {
        kind: 'choice',
        values: {
          paper: {
            doc: "The authors' own start: A and B both orthonormal, times out^¼ / √gamma.",
            alsoKnownAs: ['authors', 'stable'],
          },
          peft: {doc: "PEFT's: A orthonormal, B with the gradient's singular values and times out^¼ / √gamma."},
        },
      },
      doc: "Which of the two published starts: the authors' own, which the study took, or PEFT's later one. PEFT's depends on how large the gradient is, and differs in length by orders of magnitude: learning rates do not carry over.",
      example: 'peft',
      default: 'paper',
    },
    rows: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 1_000_000},
      doc: 'The start is made of the gradient over the first this many training rows in the order of the file, two at a time as in the study: the same start for every seed and batch size. All rows where there are fewer.',
      unit: 'rows',
      example: '32',
      defaultDoc: '32, or none where `batches` is given',
      alsoKnownAs: ['samples', 'gradient_rows'],
      study: '32, in the order of the file, two at a time.',
      interacts: 'It stands for `batches`: only one of the two can be given.',
    },
    batches: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 100_000},
      doc: "Instead of `rows`: the start is made of the gradient over the first this many batches of the training, in the order of the trial's seed, so that the spread between seeds holds their luck too.",
      unit: 'batches',
      example: '8',
      defaultDoc: 'the first rows of the file instead',
      alsoKnownAs: ['steps', 'gradient_batches', 'iters'],
      interacts:
        'It stands for `rows`: only one of the two can be given. Together with the batch size it decides how many rows the gradient sees.',
    },
    gamma: {
      type: {kind: 'number', above: 0, atMost: 1_000_000},
      doc: "A and B (with PEFT's variant B alone) are scaled by out^¼ / √gamma: the larger gamma, the smaller the start. 16 is what the authors, the study and PEFT take.",
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
  conflicts: (_, {rows, batches}) =>
    rows !== undefined && batches !== undefined
      ? [
          {
            key: 'batches',
            message:
              'LoRA-GA starts from the first rows of the file or from the first batches: give rows or batches, not both.',
          },
        ]
      : [],
  work: residualWork,
};
