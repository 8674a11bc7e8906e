/** Symmetric positive definite systems by Cholesky's factorisation, in float64. */
import {SweepError} from '../../core/error.ts';
import {dot} from './dense.ts';

/**
 * L [n, n] with L·Lᵀ = M, zero above its diagonal.
 * @throws SweepError `not-finite` where M is not positive definite
 */
export function cholesky(M: Float64Array, n: number): Float64Array {
  const L = new Float64Array(n * n);
  for (let row = 0; row < n; row++)
    for (let column = 0; column <= row; column++) {
      const rest = M[row * n + column]! - dot(L, row * n, L, column * n, column);
      if (column < row) L[row * n + column] = rest / L[column * n + column]!;
      else if (rest > 0) L[row * n + row] = Math.sqrt(rest);
      else throw new SweepError('not-finite', `A ${n} x ${n} matrix is not positive definite.`, {n});
    }
  return L;
}

/** X·M⁻¹ for rows X [count, n], where M = L·Lᵀ is symmetric. */
export function timesInverse(X: Float64Array, count: number, L: Float64Array, n: number): Float64Array {
  const Y = Float64Array.from(X);
  for (let k = 0; k < count; k++) {
    const first = k * n;
    for (let row = 0; row < n; row++)
      Y[first + row] = (Y[first + row]! - dot(Y, first, L, row * n, row)) / L[row * n + row]!;
    for (let row = n - 1; row >= 0; row--) {
      const value = Y[first + row]! / L[row * n + row]!;
      Y[first + row] = value;
      for (let column = 0; column < row; column++) Y[first + column]! -= value * L[row * n + column]!;
    }
  }
  return Y;
}
