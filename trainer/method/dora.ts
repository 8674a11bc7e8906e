import {lora} from './lora.ts';
import type {Method} from './method.ts';

/** DoRA (Liu et al. 2024): (m / ‖V‖) ∘ V with V = W + s·B·A, m trained from ‖W‖, ‖V‖ per output row held constant. */
export const dora: Method = {
  residual: false,
  magnitude: true,
  init: lora.init,
  apply: (macros, x, W, factors, scale) => macros.decomposed(x, W, factors, factors.magnitude!, scale),
};
