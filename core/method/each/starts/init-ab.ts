import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, rankFits, residualWork} from '../../pair.ts';
import {gemma, qwen} from '../../study.ts';

export const initAb: MethodDescription = {
  doc: 'Init[AB]: both A and B drawn at random, their product subtracted from the weight.',
  alsoKnownAs: ['init', 'lora-init-ab'],
  example: '{}',
  title: 'Init[AB]',
  formula: 'A, B ~ U(±1/√in)\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title: 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning (the variant as compared there)',
    authors: 'the study',
    year: 2026,
    at: {arXiv: '2602.04998'},
  },
  trains:
    'A and B, both drawn at random; their product is subtracted from W, so that training starts at the base model.',
  cost: 'What LoRA costs; the start is one product to subtract.',
  knownRates: [
    qwen(1.1247e-4, 1.1247e-5, 6.3246e-4),
    gemma(16, 3.5566e-4, 2e-4, 3.5566e-4),
    gemma(64, 6.3246e-4, 3.5566e-4, 1.1247e-3),
    gemma(128, 1.1247e-3, 6.3246e-4, 1.1247e-3),
  ],
  options: pairOptions,
  sharpness: {
    published: 1.8,
    doc: "About 1.8 times LoRA's in the study, about LoRA's in this project's demo.",
  },
  residual: true,
  shapes: pairShapes,
  obstacle: rankFits,
  work: residualWork,
};
