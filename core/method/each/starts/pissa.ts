import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, rankFits, residualWork} from '../../pair.ts';
import {gemma, qwen} from '../../study.ts';

export const pissa: MethodDescription = {
  doc: 'PiSSA: starts from the largest singular triplets of each weight.',
  alsoKnownAs: ['pissa-lora'],
  example: '{iterations: 16}',
  title: 'PiSSA',
  formula: 'W = U S Vᵀ, largest rank triplets\nA = √(S/s) Vᵀ, B = U √(S/s)\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models',
    authors: 'Meng et al.',
    year: 2024,
    at: {arXiv: '2404.02948'},
  },
  trains: 'A and B, which begin as the principal part of W; the rest of W is frozen.',
  cost: 'A step costs what LoRA costs; before it, a factorisation of each weight (exact, or faster with `iterations`).',
  knownRates: [
    qwen(2e-5, 3.5566e-6, 1.1247e-4),
    gemma(16, 1.1247e-4, 6.3246e-5, 2e-4),
    gemma(64, 2e-4, 1.1247e-4, 6.3246e-4),
    gemma(128, 3.5566e-4, 1.1247e-4, 6.3246e-4),
  ],
  options: pairOptions,
  sharpness: {
    published: 12,
    doc: "By far the sharpest: it trains the largest singular directions of each weight. About 12 times LoRA's in the study, 7 in this project's demo (query projections); so its rates lie lower.",
  },
  spectrum: 'top',
  residual: true,
  shapes: pairShapes,
  obstacle: rankFits,
  work: residualWork,
};
