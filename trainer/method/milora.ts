import {balanced, lowRank, type Method, pairShapes, rankFits} from './method.ts';

/** MiLoRA (Wang et al. 2024): A, B start as the bottom singular triplets of W; the base keeps the rest. */
export const milora: Method = {
  residual: true,
  spectrum: 'bottom',
  trained: pairShapes,
  obstacle: rankFits,
  init: async context => balanced(await context.triplets('bottom'), context),
  apply: lowRank,
};
