import {balanced, type Computation, lowRank} from '../method.ts';

/** PiSSA (Meng et al. 2024): A, B start as the top singular triplets of W; the base keeps the rest. */
export const pissa: Computation = {
  init: async context => balanced(await context.triplets('top'), context),
  apply: lowRank,
};
