/** Householder's reduction of a symmetric float64 matrix to tridiagonal form, and back for eigenvectors. */
import {SweepError} from '../../core/error.ts';
import {dot, epsilon} from './dense.ts';
import {reflect} from './orthonormal.ts';

export interface Tridiagonal {
  diagonal: Float64Array;
  /** `offDiagonal[i]` stands between i - 1 and i; `offDiagonal[0]` is 0. */
  offDiagonal: Float64Array;
  /** Step i reflected with I - scale[i] v v^T, v = the first i values of row i of the overwritten matrix. */
  scales: Float64Array;
}

/**
 * Reduces the lower half of A from the last row upwards. The rank-2 update of one step and the product with the next
 * step's vector share a single pass over the matrix, which is what the time goes into.
 */
export function tridiagonalise(A: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const scales = new Float64Array(n);
  let largest = 0;
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) largest = Math.max(largest, Math.abs(A[i * n + k]!));
  const negligible = (1e-3 * epsilon * largest) ** 2;
  // The update that is still to be made: A -= v w^T + w v^T.
  let v = new Float64Array(n);
  let w = new Float64Array(n);
  let nextV = new Float64Array(n);
  let nextW = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = i * n;
    for (let k = 0; k <= i; k++) A[row + k]! -= v[i]! * w[k]! + w[i]! * v[k]!;
    diagonal[i] = A[row + i]!;

    const last = A[row + i - 1]!;
    const rest = dot(A, row, A, row, i - 1);
    // Rounding residue of a row that is really 0: reflecting it would shrink towards underflow from step to step.
    if (rest <= negligible) {
      offDiagonal[i] = last;
      A.fill(0, row, row + i);
    } else {
      const norm = Math.sqrt(rest + last * last);
      offDiagonal[i] = last > 0 ? -norm : norm;
      A[row + i - 1] = last - offDiagonal[i]!;
      scales[i] = 2 / (rest + A[row + i - 1]! ** 2);
    }
    nextV.set(A.subarray(row, row + i));
    nextW.fill(0, 0, i);
    updateAndMultiply({A, n, v, w}, i, nextV, nextW);
    const scale = scales[i]!;
    const half = (scale * (scale * dot(nextW, 0, nextV, 0, i))) / 2;
    for (let k = 0; k < i; k++) nextW[k] = scale * nextW[k]! - half * nextV[k]!;
    [v, nextV] = [nextV, v];
    [w, nextW] = [nextW, w];
  }
  diagonal[0] = A[0]! - 2 * v[0]! * w[0]!;
  return {diagonal, offDiagonal, scales};
}

/** A [n, n] -= v w^T + w v^T */
interface RankTwoUpdate {
  A: Float64Array;
  n: number;
  v: Float64Array;
  w: Float64Array;
}

/** The leading `size` rows of A -= v w^T + w v^T, then y += A x; lower half only, two rows at a time. */
function updateAndMultiply({A, n, v, w}: RankTwoUpdate, size: number, x: Float64Array, y: Float64Array): void {
  let j = 0;
  if (size % 2 === 1) {
    A[0]! -= 2 * v[0]! * w[0]!;
    y[0]! += A[0]! * x[0]!;
    j = 1;
  }
  for (; j < size; j += 2) {
    const upper = j * n;
    const lower = upper + n;
    const v0 = v[j]!;
    const v1 = v[j + 1]!;
    const w0 = w[j]!;
    const w1 = w[j + 1]!;
    const x0 = x[j]!;
    const x1 = x[j + 1]!;
    let sum0 = 0;
    let sum1 = 0;
    for (let k = 0; k < j; k++) {
      const vk = v[k]!;
      const wk = w[k]!;
      const xk = x[k]!;
      const a0 = A[upper + k]! - (v0 * wk + w0 * vk);
      const a1 = A[lower + k]! - (v1 * wk + w1 * vk);
      A[upper + k] = a0;
      A[lower + k] = a1;
      sum0 += a0 * xk;
      sum1 += a1 * xk;
      y[k]! += a0 * x0 + a1 * x1;
    }
    const corner0 = A[upper + j]! - 2 * v0 * w0;
    const between = A[lower + j]! - (v1 * w0 + w1 * v0);
    const corner1 = A[lower + j + 1]! - 2 * v1 * w1;
    A[upper + j] = corner0;
    A[lower + j] = between;
    A[lower + j + 1] = corner1;
    y[j]! += sum0 + corner0 * x0 + between * x1;
    y[j + 1]! += sum1 + between * x0 + corner1 * x1;
  }
}

/** Eigenvectors of the tridiagonal matrix (rows) become those of the matrix it was reduced from, in place. */
export function applyReflectors(
  rows: Float64Array,
  count: number,
  n: number,
  A: Float64Array,
  scales: Float64Array,
): void {
  // A tile of rows stays in the cache while all reflectors pass over it.
  for (let tile = 0; tile < count; tile += 32) {
    const tileEnd = Math.min(count, tile + 32);
    for (let i = 1; i < n; i++) {
      const scale = scales[i]!;
      if (scale === 0) continue;
      let r = tile;
      for (; r + 4 <= tileEnd; r += 4) reflectFour(rows, r * n, n, A.subarray(i * n, i * n + i), scale);
      for (; r < tileEnd; r++) reflect(rows, r * n, A, i * n, i, scale);
    }
  }
}

/** x -= scale v (v . x) for the beginnings x of four rows of length n from `start` on: each value of v is read once for all four. */
function reflectFour(rows: Float64Array, start: number, n: number, v: Float64Array, scale: number): void {
  const second = start + n;
  const third = second + n;
  const fourth = third + n;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0; k < v.length; k++) {
    const value = v[k]!;
    a += value * rows[start + k]!;
    b += value * rows[second + k]!;
    c += value * rows[third + k]!;
    d += value * rows[fourth + k]!;
  }
  a *= scale;
  b *= scale;
  c *= scale;
  d *= scale;
  for (let k = 0; k < v.length; k++) {
    const value = v[k]!;
    rows[start + k]! -= a * value;
    rows[second + k]! -= b * value;
    rows[third + k]! -= c * value;
    rows[fourth + k]! -= d * value;
  }
}

/** The largest sum of the absolute values of a row: a bound of the eigenvalues. */
export function largestRowSum({diagonal, offDiagonal}: Tridiagonal): number {
  let largest = 0;
  for (let i = 0; i < diagonal.length; i++) {
    const sum = Math.abs(offDiagonal[i]!) + Math.abs(diagonal[i]!) + Math.abs(offDiagonal[i + 1] ?? 0);
    largest = Math.max(largest, sum);
  }
  return largest;
}

/** Nothing on the way is expected to fail; this says what did. */
export function failed(what: string, n: number): SweepError {
  return new SweepError(
    'svd-failed',
    `The singular values of a weight matrix could not be found (${what} of a ${n} x ${n} matrix did not converge); check the model's files and report the matrix.`,
    {size: n},
  );
}
