import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, rankFits, residualWork} from '../../pair.ts';

export const olora: MethodDescription = {
  doc: 'OLoRA: starts from the first columns of a QR factorisation of each weight.',
  alsoKnownAs: ['o-lora'],
  example: '{}',
  title: 'OLoRA',
  formula: 'W = Q R\nA = first rank rows of R, B = first rank columns of Q\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'OLoRA: Orthonormal Low-Rank Adaptation of Large Language Models',
    authors: 'Büyükakyüz',
    year: 2024,
    at: {arXiv: '2406.01775'},
  },
  trains: 'A and B, which begin as the first rows and columns of a QR factorisation of W; the base keeps the rest.',
  cost: 'A step costs what LoRA costs; before it, the first `rank` columns of each weight are made orthonormal.',
  knownRates: [],
  options: pairOptions,
  sharpness: {
    published: null,
    doc: "Not published. Q has columns of length 1, far longer than the columns of a drawn A: expect lower rates than LoRA's.",
  },
  residual: true,
  shapes: pairShapes,
  obstacle: rankFits,
  work: residualWork,
};
