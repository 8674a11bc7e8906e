import {balanced, type Computation, lowRank} from '../method.ts';

/** MiLoRA (Wang et al. 2024): A, B start as the bottom singular triplets of W; the base keeps the rest. */
export const milora: Computation = {
  init: async context => balanced(await context.triplets('bottom'), context),
  apply: lowRank,
};
