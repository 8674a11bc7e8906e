import {balanced, lowRank, type Method} from './method.ts';

/** MiLoRA (Wang et al. 2024): A, B start as the bottom singular triplets of W; the base keeps the rest. */
export const milora: Method = {
  residual: true,
  magnitude: false,
  spectrum: 'bottom',
  init: async context => balanced(await context.triplets('bottom'), context),
  apply: lowRank,
};
