import type {MethodDescription} from '../method.ts';
import {pairOptions, pairShapes, pairWork, rankFits} from '../pair.ts';
import {gemma, qwen} from '../study.ts';

export const dora: MethodDescription = {
  doc: 'DoRA: direction and magnitude of each output row are trained apart.',
  alsoKnownAs: ['dora-lora'],
  example: '{start_from: adapters/dora-a}',
  title: 'DoRA',
  formula:
    'V = W + s·B A,  n = ‖V‖ of each output row, held constant in the gradient\ny = (m / n) ∘ V x,  m = n at the start\nA ~ U(±1/√in), B = 0',
  paper: {
    title: 'DoRA: Weight-Decomposed Low-Rank Adaptation',
    authors: 'Liu et al.',
    year: 2024,
    at: {arXiv: '2402.09353'},
  },
  trains: 'A, B and the magnitude m of each output row; the base W stays as it is.',
  cost: 'Slower and larger than LoRA: the norms of W + s·B A are computed anew in each step; `out` more parameters a layer.',
  knownRates: [
    qwen(1.1247e-4, 1.1247e-5, 6.3246e-4),
    gemma(16, 3.5566e-4, 2e-4, 3.5566e-4),
    gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
    gemma(128, 1.1247e-3, 6.3246e-4, 1.1247e-3),
  ],
  options: pairOptions,
  sharpness: {
    published: null,
    doc: "About LoRA's: 0.9 times in this project's demo.",
  },
  shapes: (matrix, size) => ({...pairShapes(matrix, size), magnitude: [matrix.outputs]}),
  obstacle: rankFits,
  // The norms of W + s·B·A.
  work: (matrix, size) => ({...pairWork(matrix, size), once: 2 * (size.rank + 1) * matrix.inputs * matrix.outputs}),
};
