import type {MethodDescription} from '../method.ts';
import {pairShapes, pairWork, rankFits} from '../pair.ts';

export const loft: MethodDescription = {
  doc: "LoFT: LoRA whose factors take turns, each with full fine-tuning's AdamW as far as the other lets through.",
  alsoKnownAs: ['loft-adamw', 'low-rank-that-behaves-like-full-fine-tuning'],
  example: '{}',
  title: 'LoFT',
  formula:
    "y = W x + s·B A x\nB learns in odd steps, A in even ones (here B; A alike with the roles exchanged)\nG = ∂loss/∂B·(A Aᵀ)⁻¹: the full gradient's coefficients in the rows of A\nm, V: G and the outer products of its rows, smoothed;\n      when A has moved, m ← m T and V ← T V Tᵀ with T = A₀ Aᵀ (A Aᵀ)⁻¹\nB ← B - rate·(m A / (√(a V aᵀ) + eps))·Aᵀ (A Aᵀ)⁻¹, for every column a of A\nA ~ U(±1/√in), B = 0",
  paper: {
    title: 'LoFT: Low-Rank Adaptation That Behaves Like Full Fine-Tuning',
    authors: 'Tastan et al.',
    year: 2025,
    at: {arXiv: '2505.21289'},
  },
  trains:
    "A and B in turns, B first; moments of both are kept up in every step, and turned with the factor that they are relative to. As the authors' optimizer computes it (github.com/tnurbek/loft), V turned by T V Tᵀ included, which has T transposed against what turns the rows themselves. Gradients are clipped by the norm of what the learning factor makes of the full gradient, which is also the norm that is told. `training.optimizer` gives the betas; weight decay goes with the rate, as AdamW's does (the authors' takes it off whatever the rate).",
  cost: 'As many parameters as LoRA, and a step needs the full update of every adapted matrix once: 2·rank²·in·out operations, whatever the batch. The second moments are rank numbers for every trained one: memory grows with the square of the rank.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; it starts as LoRA does. Its updates are those of full fine-tuning within the span of the other factor: expect rates below LoRA's.",
  },
  options: {
    eps: {
      type: {kind: 'number', above: 0, atMost: 1},
      doc: "Added to the root of the second moment of the full update. It stands in place of `training.optimizer`'s, which is too small for a moment that is a sum with cancellation.",
      example: '1e-4',
      default: 1e-4,
    },
  },
  alternates: true,
  // The first moment, the other factor as it was last seen, and the outer products.
  kept: ({rank}) => 2 + rank,
  shapes: pairShapes,
  obstacle: rankFits,
  work(matrix, size) {
    const {inputs, outputs} = matrix;
    const {rank} = size;
    const turned = 4 * rank ** 3 * (inputs + outputs);
    return {...pairWork(matrix, size), once: 2 * inputs * outputs * rank * (rank + 2) + turned};
  },
};
