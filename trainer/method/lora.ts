import {type Computation, lowRank, uniform} from './method.ts';
import {loraFormat} from './peft-format.ts';

/** LoRA (Hu et al. 2022): W + s·B·A, A uniform in ±1/√inputs, B zero. */
export const lora: Computation = {
  init: async context => ({
    A: uniform(context.form.rank * context.site.inputs, context),
    B: new Float32Array(context.site.outputs * context.form.rank),
  }),
  apply: lowRank,
  peft: loraFormat,
};
