import type {MethodDescription} from '../method.ts';
import {pairShapes, pairWork, rankFits} from '../pair.ts';

export const delora: MethodDescription = {
  doc: 'DeLoRA: the rows of A and columns of B have length 1, and one trained number bounds how far the weight moves.',
  alsoKnownAs: ['decoupled-lora', 'de-lora', 'decoupled-low-rank-adaptation'],
  example: '{lambda: 15}',
  title: 'DeLoRA',
  formula:
    'y = W x + (λ / rank)·B diag(1 / (‖a_i‖ ‖b_i‖)) A (n ∘ x)\na_i rows of A, b_i columns of B, their lengths at least 1e-4\nn = ‖W‖ of each column, frozen; A ~ U(±1/√in), B = 0',
  paper: {
    title: 'Decoupling Angles and Strength in Low-rank Adaptation',
    authors: 'Bini et al.',
    year: 2025,
    at: {arXiv: '2503.18225'},
  },
  trains:
    'A, B and λ, one number a projection; W and the lengths of its columns stay as they are. λ stands in the place of alpha, which has no part in it.',
  cost: "LoRA's, and one more number a layer; the lengths cost next to nothing.",
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published. B starts at zero, where its lengths are held at 1e-4: 160 million times LoRA's in this project's demo (query projection of the first layer), until the first steps have made B longer. What that says of rates is little.",
  },
  options: {
    lambda: {
      type: {kind: 'number', above: 0, atMost: 1_000_000},
      doc: "Where λ starts: the update is at most this long, in units of W's columns. 15 is PEFT's default.",
      example: '15',
      default: 15,
      alsoKnownAs: ['delora_lambda', 'boundary'],
    },
  },
  withoutAlpha: true,
  frozen: ['norms'],
  shapes: (matrix, size) => ({...pairShapes(matrix, size), lambda: [1], norms: [matrix.inputs]}),
  obstacle: rankFits,
  work: pairWork,
};
