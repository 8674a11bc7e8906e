import {type Computation, lowRank} from '../method.ts';

/**
 * LoRA-GA (Wang et al. 2024): with the gradient of the loss ∂L/∂W = U·S·Vᵀ, A starts as the first `rank` rows of Vᵀ and B
 * as the next `rank` columns of U, both times outputs^¼/√γ (the authors' direction ArB2r and scale `stable`); the base
 * loses s·B₀·A₀. Variant `peft` is PEFT's: A is not scaled, and B has the singular values in it.
 */
export const loraGa: Computation = {
  async init({site: {inputs, outputs}, form: {rank, options, variant}, gradientTriplets}) {
    const {U, S, V} = await gradientTriplets(2 * rank);
    const length = outputs ** 0.25 / Math.sqrt(options['gamma']!);
    const peft = variant === 'peft';
    const A = V.slice(0, rank * inputs).map(value => (peft ? value : length * value));
    const B = new Float32Array(outputs * rank);
    for (let row = 0; row < outputs; row++)
      for (let i = 0; i < rank; i++)
        B[row * rank + i] = length * (peft ? S[rank + i]! : 1) * U[row * 2 * rank + rank + i]!;
    return {A: Float32Array.from(A), B};
  },
  apply: lowRank,
};
