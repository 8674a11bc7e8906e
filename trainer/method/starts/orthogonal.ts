import {times} from '../../math/dense.ts';
import {firstOfQr} from '../../math/qr.ts';
import {type Computation, lowRank} from '../method.ts';

/** What both factors are divided by. */
const shortened = 10;

/**
 * A and B from the odd and the even rows of one orthogonal matrix Q [rank, rank], mixed by normal draws, so that B·A = 0
 * though neither is zero (PEFT's `orthogonal`): A = Q₁ᵀ·N₁ / 10 with N₁ [rank/2, inputs], B = N₂·Q₂ / 10 with N₂ [outputs, rank/2].
 */
export const orthogonal: Computation = {
  async init({site: {inputs, outputs}, form: {rank}, random}) {
    const half = rank / 2;
    const {Q} = firstOfQr(Float32Array.from(random.normal(rank * rank)), rank, rank, rank);
    const odd = new Float64Array(rank * half);
    const even = new Float64Array(half * rank);
    for (let i = 0; i < half; i++)
      for (let k = 0; k < rank; k++) {
        odd[k * half + i] = Q[2 * i * rank + k]! / shortened;
        even[i * rank + k] = Q[(2 * i + 1) * rank + k]! / shortened;
      }
    const A = times(odd, rank, half, random.normal(half * inputs), inputs);
    const B = times(random.normal(outputs * half), outputs, half, even, rank);
    return {A: Float32Array.from(A), B: Float32Array.from(B)};
  },
  apply: lowRank,
};
