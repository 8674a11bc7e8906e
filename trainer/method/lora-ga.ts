import {type Computation, lowRank} from './method.ts';

/**
 * LoRA-GA (Wang et al. 2024): with the gradient of the loss ∂L/∂W = U·S·Vᵀ, A starts as the first `rank` rows of Vᵀ and B
 * as the next `rank` columns of U·S, times outputs^¼/√γ (PEFT's direction ArB2r and its scale `stable`); the base loses
 * s·B₀·A₀.
 */
export const loraGa: Computation = {
  async init({site: {inputs, outputs}, form: {rank, options}, gradientTriplets}) {
    const {U, S, V} = await gradientTriplets(2 * rank);
    const length = outputs ** 0.25 / Math.sqrt(options['gamma']!);
    const B = new Float32Array(outputs * rank);
    for (let row = 0; row < outputs; row++)
      for (let i = 0; i < rank; i++) B[row * rank + i] = length * S[rank + i]! * U[row * 2 * rank + rank + i]!;
    return {A: Float32Array.from(V.subarray(0, rank * inputs)), B};
  },
  apply: lowRank,
};
