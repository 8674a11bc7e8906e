import type {MethodDescription} from '../method.ts';
import {projection} from '../projection.ts';

export const vera: MethodDescription = {
  doc: 'VeRA: one frozen random pair for all layers; two vectors a layer are trained. Its rank is 256 where the file names none.',
  alsoKnownAs: ['vera-lora'],
  example: '{rank: 256}',
  title: 'VeRA',
  formula: 'y = W x + b ∘ B (d ∘ (A x))\nA, B random, frozen, shared by all layers\nd = 0.1, b = 0',
  paper: {
    title: 'VeRA: Vector-based Random Matrix Adaptation',
    authors: 'Kopiczko et al.',
    year: 2023,
    at: {arXiv: '2310.11454'},
  },
  trains:
    'Two vectors a layer, d [rank] and b [out]; A and B are drawn once (`seed`) and cut to the size of each layer. alpha has no part in it.',
  cost: 'By far the fewest trained numbers, rank + out a layer, so that ranks of 256 and more are usual; the two products with A and B cost what a LoRA of that rank costs.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published. Its few numbers move the weights little: its rates lie one or two powers of ten above LoRA's.",
  },
  options: {
    ...projection,
    d_initial: {
      type: {kind: 'number', above: 0, atMost: 1000},
      doc: 'Where every entry of d starts, 0.1 as in the paper; b starts at 0.',
      example: '0.1',
      default: 0.1,
      alsoKnownAs: ['d_init'],
    },
  },
  withoutAlpha: true,
  // It trains rank + outputs numbers a layer, not rank · (inputs + outputs): at LoRA's ranks it would hardly train any.
  defaultRank: 256,
  shapes: ({outputs}, {rank}) => ({d: [rank], b: [outputs]}),
  obstacle: () => undefined,
  work: ({inputs, outputs}, {rank}) => ({frozen: rank * (inputs + outputs), trained: 0, once: 0}),
};
