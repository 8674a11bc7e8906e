import {lowRank, type Method, pairShapes, rankFits, uniform} from './method.ts';

/** LoRA (Hu et al. 2022): W + s·B·A, A uniform in ±1/√inputs, B zero. */
export const lora: Method = {
  residual: false,
  trained: pairShapes,
  obstacle: rankFits,
  init: async context => ({
    A: uniform(context.form.rank * context.site.inputs, context),
    B: new Float32Array(context.site.outputs * context.form.rank),
  }),
  apply: lowRank,
};
