import {cholesky, timesInverse} from '../../math/cholesky.ts';
import {times} from '../../math/dense.ts';
import {type Computation, lowRank} from '../method.ts';

/** Of the mean of C's diagonal, what is added to each of its entries. */
const damping = 0.01;

/**
 * CorDA (Yang et al. 2024, as in PEFT): with the damped covariance C of what W reads and W·C = U·S·Vᵀ, A starts as
 * √(S/s)·Vᵀ·C⁻¹ and B as U·√(S/s) of the largest triplets (`ipm`) or the smallest (`kpm`); the base loses s·B₀·A₀.
 */
export const corda: Computation = {
  async init({site: {inputs, outputs}, form: {rank, scale, variant}, weight, covariance, tripletsFrom}) {
    const C = Float64Array.from(await covariance());
    let mean = 0;
    for (let i = 0; i < inputs; i++) mean += C[i * inputs + i]! / inputs;
    for (let i = 0; i < inputs; i++) C[i * inputs + i]! += damping * mean;
    const oriented = Float32Array.from(times(Float64Array.from(weight()), outputs, inputs, C, inputs));
    const {U, S, V} = await tripletsFrom(oriented, variant === 'kpm' ? 'bottom' : 'top');
    const A = timesInverse(V, rank, cholesky(C, inputs), inputs);
    const B = new Float32Array(outputs * rank);
    for (let k = 0; k < rank; k++) {
      const root = Math.sqrt(S[k]! / scale);
      for (let i = 0; i < inputs; i++) A[k * inputs + i]! *= root;
      for (let row = 0; row < outputs; row++) B[row * rank + k] = root * U[row * rank + k]!;
    }
    return {A: Float32Array.from(A), B};
  },
  apply: lowRank,
};
