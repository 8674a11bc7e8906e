import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, pairWork, rankFits} from '../../pair.ts';

export const orthogonal: MethodDescription = {
  doc: 'LoRA whose A and B both start at random but orthogonal to each other, so that B·A is zero. Its rank is even.',
  alsoKnownAs: ['orthogonal-init', 'orthogonal-initialisation', 'orthogonal-initialization', 'orthogonal-lora'],
  example: '{}',
  title: 'Orthogonal',
  formula:
    'y = W x + s·B A x\nQ orthogonal [rank, rank], Q₁ its odd rows, Q₂ its even rows\nA = Q₁ᵀ N₁ / 10, B = N₂ Q₂ / 10,  N₁, N₂ ~ N(0, 1)\nB A = 0, as Q₂ Q₁ᵀ = 0',
  paper: {
    title: 'Rethink LoRA initialisations (orthogonal initialisation)',
    authors: 'datta0',
    year: 2024,
    at: {url: 'https://datta0.github.io/posts/rethink-lora-init/#orthogonal-initialisation'},
  },
  trains:
    'A and B; the base W stays as it is. Neither of them starts at zero, yet their product does: training starts exactly at the base model. PEFT\'s `init_lora_weights="orthogonal"`; the rank must be even, as half of it goes to A and half to B.',
  cost: 'What LoRA costs; nothing to prepare.',
  knownRates: [],
  options: pairOptions,
  sharpness: {
    published: null,
    doc: "Not published; 1.9 times LoRA's in this project's demo (query projection of the first layer). A has a standard deviation of about 0.07, whatever the width of the model: in wide models it is longer than LoRA's A.",
  },
  shapes: pairShapes,
  obstacle: rankFits,
  conflicts(ranks) {
    const odd = ranks.find(rank => rank % 2 !== 0);
    if (odd === undefined) return [];
    const message = `The orthogonal start shares its rank between A and B in halves, but rank ${odd} is odd: take an even one.`;
    return [{key: 'rank', message}];
  },
  work: pairWork,
};
