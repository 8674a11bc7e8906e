import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, rankFits, residualWork} from '../../pair.ts';
import {gemma, qwen} from '../../study.ts';

export const milora: MethodDescription = {
  doc: 'MiLoRA: starts from the smallest singular triplets of each weight.',
  alsoKnownAs: ['mi-lora'],
  example: '{}',
  title: 'MiLoRA',
  formula: 'W = U S Vᵀ, smallest rank triplets\nA = √(S/s) Vᵀ, B = U √(S/s)\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'MiLoRA: Harnessing Minor Singular Components for Parameter-Efficient LLM Finetuning',
    authors: 'Wang et al.',
    year: 2024,
    at: {arXiv: '2406.09044'},
  },
  trains: 'A and B, which begin as the minor part of W; the principal part is frozen.',
  cost: 'A step costs what LoRA costs; before it, a factorisation of each weight (exact, or faster with `iterations`).',
  knownRates: [
    qwen(6.3246e-5, 1.1247e-5, 3.5566e-4),
    gemma(16, 2e-4, 1.1247e-4, 3.5566e-4),
    gemma(64, 3.5566e-4, 2e-4, 6.3246e-4),
    gemma(128, 6.3246e-4, 2e-4, 1.1247e-3),
  ],
  options: pairOptions,
  sharpness: {
    published: 2.1,
    doc: "About 2.1 times LoRA's in the study, no larger than LoRA's in this project's demo.",
  },
  spectrum: 'bottom',
  residual: true,
  shapes: pairShapes,
  obstacle: rankFits,
  work: residualWork,
};
