import {type Computation, lowRank, uniform} from '../method.ts';

/** Init[AB]: A and B both uniform in ±1/√inputs; the base loses s·B₀·A₀. */
export const initAb: Computation = {
  init: async context => ({
    A: uniform(context.form.rank * context.site.inputs, context),
    B: uniform(context.site.outputs * context.form.rank, context),
  }),
  apply: lowRank,
};
