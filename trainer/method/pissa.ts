import {balanced, lowRank, type Method, pairShapes, rankFits} from './method.ts';

/** PiSSA (Meng et al. 2024): A, B start as the top singular triplets of W; the base keeps the rest. */
export const pissa: Method = {
  residual: true,
  spectrum: 'top',
  trained: pairShapes,
  obstacle: rankFits,
  init: async context => balanced(await context.triplets('top'), context),
  apply: lowRank,
};
