import type {Parts} from './form.ts';
import {lora} from './lora.ts';
import {type Computation, type InitContext, pairOf} from './method.ts';
import {loraFormat} from './peft-format.ts';

/** DoRA (Liu et al. 2024): (m / ‖V‖) ∘ V with V = W + s·B·A, m trained from ‖W‖, ‖V‖ per output row held constant. */
export const dora: Computation = {
  async init(context) {
    const pair = context.given ?? (await lora.init(context));
    return {...pair, magnitude: rowNorms(pair, context)};
  },
  apply: (macros, x, W, tensors, {scale}) => macros.decomposed(x, W, pairOf(tensors), tensors.own['magnitude']!, scale),
  peft: loraFormat,
};

/** ‖W + s·B·A‖ per output row, in double precision. */
function rowNorms({A, B}: Parts, {site: {inputs, outputs}, form: {rank, scale}, weight}: InitContext): Float32Array {
  const W = weight();
  return Float32Array.from({length: outputs}, (_, row) => {
    let sum = 0;
    for (let column = 0; column < inputs; column++) {
      let value = W[row * inputs + column]!;
      for (let i = 0; i < rank; i++) value += scale * B![row * rank + i]! * A![i * inputs + column]!;
      sum += value * value;
    }
    return Math.sqrt(sum);
  });
}
