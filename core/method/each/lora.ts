import type {MethodDescription} from '../method.ts';
import {pairOptions, pairShapes, pairWork, rankFits} from '../pair.ts';
import {gemma, qwen} from '../study.ts';

export const lora: MethodDescription = {
  doc: 'LoRA: A drawn at random, B = 0.',
  alsoKnownAs: ['vanilla-lora'],
  example: '{}',
  title: 'LoRA',
  formula: 'y = W x + s·B A x\nA ~ U(±1/√in), B = 0',
  paper: {
    title: 'LoRA: Low-Rank Adaptation of Large Language Models',
    authors: 'Hu et al.',
    year: 2021,
    at: {arXiv: '2106.09685'},
  },
  trains:
    'A and B; the base W stays as it is. Training starts exactly at the base model. With `b_rate_ratio: 16` it is LoRA+: B learns at 16 times the rate of A.',
  cost: 'The measure of the others: rank · (in + out) parameters a layer, nothing to prepare.',
  knownRates: [
    qwen(2e-4, 2e-5, 6.3246e-4),
    gemma(16, 2e-4, 1.1247e-4, 3.5566e-4),
    gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
    gemma(128, 1.1247e-3, 3.5566e-4, 1.1247e-3),
  ],
  options: pairOptions,
  sharpness: {
    published: 1,
    doc: 'The measure of the others. With B = 0 the smallest eigenvalue is about as large in magnitude as the largest.',
  },
  shapes: pairShapes,
  obstacle: rankFits,
  work: pairWork,
};
