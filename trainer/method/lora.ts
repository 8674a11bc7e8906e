import {lowRank, type Method, uniform} from './method.ts';

/** LoRA (Hu et al. 2022): W + s·B·A, A uniform in ±1/√inputs, B zero. */
export const lora: Method = {
  residual: false,
  magnitude: false,
  init: async context => ({
    A: uniform(context.rank * context.site.inputs, context),
    B: new Float32Array(context.site.outputs * context.rank),
  }),
  apply: lowRank,
};
