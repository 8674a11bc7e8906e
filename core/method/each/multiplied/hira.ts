import type {MethodDescription} from '../../method.ts';
import {pairShapes} from '../../pair.ts';

export const hira: MethodDescription = {
  doc: 'HiRA: a low-rank pair scales the entries of the weight, so that the update can have full rank.',
  alsoKnownAs: ['hadamard-high-rank-adaptation', 'hi-ra'],
  example: '{}',
  title: 'HiRA',
  formula: 'y = (W + W ∘ (B A)) x\nA ~ U(±1/√in), B = 0',
  paper: {
    title: 'HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language Models',
    authors: 'Huang et al.',
    year: 2025,
    at: {url: 'https://openreview.net/forum?id=TwJrTz9cRS'},
  },
  trains: 'A and B, whose product multiplies W entry by entry; W itself stays as it is. alpha has no part in it.',
  cost: "LoRA's parameters. The update is formed as a whole matrix in each step, and so is its gradient.",
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; a sixteenth of LoRA's in this project's demo (query projection of the first layer). The entries of W are small, and with them the update: its rates lie well above LoRA's.",
  },
  withoutAlpha: true,
  shapes: pairShapes,
  obstacle: () => undefined,
  work: ({inputs, outputs}, {rank}) => ({
    frozen: 0,
    trained: 0,
    whole: inputs * outputs,
    once: 6 * rank * inputs * outputs,
  }),
};
