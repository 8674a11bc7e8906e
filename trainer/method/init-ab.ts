import {lowRank, type Method, uniform} from './method.ts';

/** Init[AB]: A and B both uniform in ±1/√inputs; the base loses s·B₀·A₀. */
export const initAb: Method = {
  residual: true,
  magnitude: false,
  init: async context => ({
    A: uniform(context.rank * context.site.inputs, context),
    B: uniform(context.site.outputs * context.rank, context),
  }),
  apply: lowRank,
};
