import {lowRank, type Method, pairShapes, rankFits, uniform} from './method.ts';

/** Init[AB]: A and B both uniform in ±1/√inputs; the base loses s·B₀·A₀. */
export const initAb: Method = {
  residual: true,
  trained: pairShapes,
  obstacle: rankFits,
  init: async context => ({
    A: uniform(context.form.rank * context.site.inputs, context),
    B: uniform(context.site.outputs * context.form.rank, context),
  }),
  apply: lowRank,
};
