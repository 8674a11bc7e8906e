/** The beginning of a QR factorisation. Float32 in, float64 inside. */
import {SweepError} from '../../core/error.ts';
import {times} from './dense.ts';
import {makeAllOrthonormal} from './orthonormal.ts';
import {random} from './random.ts';

/**
 * Of W = Q·R the first `rank` columns of Q [rows, rank] and the first rows of R [rank, cols], both row-major; R's
 * diagonal is not negative. (LAPACK's signs differ; their products are the same.)
 * @throws SweepError `rank-too-large`
 */
export function firstOfQr(
  W: Float32Array,
  rows: number,
  cols: number,
  rank: number,
): {Q: Float64Array; R: Float64Array} {
  if (rank > Math.min(rows, cols)) {
    throw new SweepError(
      'rank-too-large',
      `A ${rows} x ${cols} matrix has ${Math.min(rows, cols)} orthonormal columns, so rank ${rank} is not possible; take a smaller one.`,
      {rows, cols, rank},
    );
  }
  const columns = new Float64Array(rank * rows);
  for (let i = 0; i < rank; i++) for (let row = 0; row < rows; row++) columns[i * rows + row] = W[row * cols + i]!;
  makeAllOrthonormal(columns, rank, rows, random(0, 'qr'));
  const R = times(columns, rank, rows, Float64Array.from(W), cols);
  // Below the diagonal is nothing but rounding.
  for (let i = 0; i < rank; i++) R.fill(0, i * cols, i * cols + i);
  const Q = new Float64Array(rows * rank);
  for (let i = 0; i < rank; i++) for (let row = 0; row < rows; row++) Q[row * rank + i] = columns[i * rows + row]!;
  return {Q, R};
}
