import type {MethodDescription} from '../method.ts';
import {pairOptions, pairShapes, pairWork, rankFits} from '../pair.ts';

export const rslora: MethodDescription = {
  doc: 'rsLoRA: LoRA with the update scaled by alpha / sqrt(rank): alpha is multiplied by sqrt(rank).',
  alsoKnownAs: ['rs-lora', 'rank-stabilized-lora'],
  example: '{}',
  title: 'rsLoRA',
  formula: 'y = W x + (alpha / √rank)·B A x\nA ~ U(±1/√in), B = 0',
  paper: {
    title: 'A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA',
    authors: 'Kalajdzievski',
    year: 2023,
    at: {arXiv: '2312.03732'},
  },
  trains:
    'What LoRA trains. It is LoRA with alpha · √rank in place of alpha, so that the size of an update does not shrink with the rank.',
  cost: 'What LoRA costs.',
  knownRates: [],
  options: pairOptions,
  sharpness: {
    published: null,
    doc: "Between √rank and rank times LoRA's, as the scale is √rank times LoRA's. So its rates lie lower, the more so the larger the rank.",
  },
  alphaPower: 0.5,
  shapes: pairShapes,
  obstacle: rankFits,
  work: pairWork,
};
