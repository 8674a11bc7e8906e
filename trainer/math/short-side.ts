/** A matrix as its singular triplets are looked for, and the triplets as they are handed on. */
import {SweepError} from '../../core/error.ts';
import type {Triplets} from './triplets.ts';

/** W or its transpose, whichever has no more rows than columns, is unit * M [short, long]. */
export interface ShortSideFirst {
  M: Float64Array;
  /** A power of two that brings the values of M near 1, so that their powers neither overflow nor vanish. */
  unit: number;
  short: number;
  long: number;
  transposed: boolean;
}

/** @throws SweepError `rank-too-large`, `not-finite` */
export function shortSideFirst(W: Float32Array, rows: number, cols: number, rank: number): ShortSideFirst {
  if (W.length !== rows * cols) throw new RangeError(`${W.length} values for a matrix of ${rows} x ${cols}`);
  const short = Math.min(rows, cols);
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= short)) {
    throw new SweepError(
      'rank-too-large',
      `A ${rows} x ${cols} matrix has ${short} singular values, so rank ${rank} is not possible; take a rank from 1 to ${short}.`,
      {rows, cols, rank},
    );
  }
  const largest = largestSize(W);
  if (!Number.isFinite(largest)) {
    throw new SweepError(
      'not-finite',
      `A ${rows} x ${cols} weight matrix holds values that are not finite (NaN or infinity), so it cannot be factorised; check the model's files.`,
      {rows, cols},
    );
  }
  const transposed = rows > cols;
  const unit = largest === 0 ? 1 : 2 ** Math.floor(Math.log2(largest));
  const M = transposed ? turned(W, rows, cols, unit) : divided(W, unit);
  return {M, unit, short, long: Math.max(rows, cols), transposed};
}

/** NaN where a value is not a number. */
function largestSize(W: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < W.length; i++) {
    const size = Math.abs(W[i]!);
    if (!(size <= largest)) largest = size;
    if (Number.isNaN(size)) break;
  }
  return largest;
}

function divided(W: Float32Array, unit: number): Float64Array {
  const M = new Float64Array(W.length);
  for (let i = 0; i < W.length; i++) M[i] = W[i]! / unit;
  return M;
}

/** Rows and columns of W in the blocks that are turned one by one: what is read stays in the cache, what is written lies side by side. */
const turnedAtOnce = {rows: 32, cols: 16};

/** (W / unit)ᵀ */
function turned(W: Float32Array, rows: number, cols: number, unit: number): Float64Array {
  const M = new Float64Array(rows * cols);
  for (let top = 0; top < rows; top += turnedAtOnce.rows) {
    const bottom = Math.min(rows, top + turnedAtOnce.rows);
    for (let left = 0; left < cols; left += turnedAtOnce.cols) {
      const right = Math.min(cols, left + turnedAtOnce.cols);
      for (let j = left; j < right; j++) for (let i = top; i < bottom; i++) M[j * rows + i] = W[i * cols + j]! / unit;
    }
  }
  return M;
}

/** Triplets of W from rows of the short side and of the long side of M. */
export function assemble(
  {unit, short, long, transposed}: ShortSideFirst,
  shortSide: Float64Array,
  S: Float64Array,
  longSide: Float64Array,
  rank: number,
): Triplets {
  const scaled = S.map(value => value * unit);
  return transposed
    ? {U: columns(longSide, rank, long), S: scaled, V: shortSide}
    : {U: columns(shortSide, rank, short), S: scaled, V: longSide};
}

/** [rank, n] to [n, rank]. */
function columns(rows: Float64Array, rank: number, n: number): Float64Array {
  const turned = new Float64Array(rank * n);
  for (let i = 0; i < rank; i++) for (let j = 0; j < n; j++) turned[j * rank + i] = rows[i * n + j]!;
  return turned;
}
