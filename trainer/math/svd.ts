/**
 * A few singular triplets at one end of a weight matrix, for PiSSA (top) and MiLoRA (bottom): W ~ U diag(S) V.
 * Float32 in, float64 inside. The same matrix gives the same triplets on every machine; signs are otherwise free.
 */
import {SweepError} from '../../core/error.ts';
import {dot, epsilon, gram, times, timesTransposed} from './dense.ts';
import {spectrum} from './eigen.ts';
import {makeOrthonormal} from './orthonormal.ts';
import {type Random, random} from './random.ts';

/** Singular triplets in descending order of S. */
export interface Triplets {
  /** [rows, rank], orthonormal columns. */
  U: Float64Array;
  /** [rank]. */
  S: Float64Array;
  /** [rank, cols], orthonormal rows (this is V^T). */
  V: Float64Array;
}

/**
 * The `rank` largest singular values of W [rows, cols] and their vectors.
 * @throws SweepError `rank-too-large`, `not-finite`
 */
export function topTriplets(W: Float32Array, rows: number, cols: number, rank: number): Triplets {
  return exactTriplets(shortSideFirst(W, rows, cols, rank), 0, rank);
}

/**
 * The `rank` smallest of the min(rows, cols) singular values of W [rows, cols] and their vectors.
 * @throws SweepError `rank-too-large`, `not-finite`
 */
export function bottomTriplets(W: Float32Array, rows: number, cols: number, rank: number): Triplets {
  const side = Math.min(rows, cols);
  return exactTriplets(shortSideFirst(W, rows, cols, rank), side - rank, side);
}

/**
 * An approximation of the top triplets by subspace iteration from `rank` random vectors, without oversampling, as
 * torch.svd_lowrank(q=rank, niter=iterations) does it (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).
 * @throws SweepError `rank-too-large`, `not-finite`
 */
export function randomizedTriplets(
  W: Float32Array,
  rows: number,
  cols: number,
  rank: number,
  iterations: number,
  numbers: Random,
): Triplets {
  const matrix = shortSideFirst(W, rows, cols, rank);
  const {M, short, long} = matrix;
  let basis = numbers.normal(rank * short);
  if (iterations > 0) {
    // (M M^T)^iterations applied by way of the Gram matrix, which is the smaller of the two.
    const G = gram(M, short, long);
    for (let i = 0; i < short; i++) for (let j = 0; j < i; j++) G[j * short + i] = G[i * short + j]!;
    for (let iteration = 0; iteration < iterations; iteration++) {
      makeAllOrthonormal(basis, rank, short, numbers);
      basis = times(basis, rank, short, G, short);
    }
  }
  makeAllOrthonormal(basis, rank, short, numbers);
  const longSide = times(basis, rank, short, M, long);
  makeAllOrthonormal(longSide, rank, long, numbers);
  const shortSide = timesTransposed(longSide, rank, M, short, long);
  const S = diagonalise(shortSide, longSide, rank, short, long, largestNorm(shortSide, rank, short) * epsilon * short);
  return assemble(matrix, shortSide, S, longSide, rank);
}

/** W or its transpose, whichever has no more rows than columns: M [short, long]. */
interface ShortSideFirst {
  M: Float64Array;
  short: number;
  long: number;
  transposed: boolean;
}

function shortSideFirst(W: Float32Array, rows: number, cols: number, rank: number): ShortSideFirst {
  if (W.length !== rows * cols) throw new RangeError(`${W.length} values for a matrix of ${rows} x ${cols}`);
  const short = Math.min(rows, cols);
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= short)) {
    throw new SweepError(
      'rank-too-large',
      `A ${rows} x ${cols} matrix has ${short} singular values, so rank ${rank} is not possible; take a rank from 1 to ${short}.`,
      {rows, cols, rank},
    );
  }
  if (!W.every(Number.isFinite)) {
    throw new SweepError(
      'not-finite',
      `A ${rows} x ${cols} weight matrix holds values that are not finite (NaN or infinity), so it cannot be factorised; check the model's files.`,
      {rows, cols},
    );
  }
  const transposed = rows > cols;
  const M = new Float64Array(rows * cols);
  if (transposed) for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) M[j * rows + i] = W[i * cols + j]!;
  else M.set(W);
  return {M, short, long: Math.max(rows, cols), transposed};
}

function exactTriplets(matrix: ShortSideFirst, from: number, to: number): Triplets {
  const {M, short, long} = matrix;
  const rank = to - from;
  const shortSide = leftVectors(M, short, long, from, to, null);
  const longSide = times(shortSide.rows, rank, short, M, long);
  const S = diagonalise(longSide, shortSide.rows, rank, long, short, shortSide.floor);
  return assemble(matrix, shortSide.rows, S, longSide, rank);
}

/** The Gram matrix squares the singular values: those below this share of the largest one are looked at again. */
const trustedShare = 1e-3;

/**
 * Orthonormal rows [to - from, n] that span the left singular vectors number `from` .. `to` - 1 of M [n, length],
 * from the eigenvectors of M M^T. Singular values far below the largest one drown in the rounding of the Gram matrix;
 * so what belongs to the trusted ones is split off and the rest of M, which is of their own size, is treated alike.
 * `floor` is the size below which values are rounding errors of M itself.
 */
function leftVectors(
  M: Float64Array,
  n: number,
  length: number,
  from: number,
  to: number,
  knownFloor: number | null,
): {rows: Float64Array; floor: number} {
  const {values, vectors} = spectrum(gram(M, n, length), n);
  const largest = Math.sqrt(Math.max(values[0]!, 0));
  const floor = knownFloor ?? n * epsilon * largest;
  if (largest <= floor) return {rows: unitRows(n, from, to), floor};
  const firstDoubtful = values.findIndex(value => value < (trustedShare * largest) ** 2);
  const trusted = firstDoubtful < 0 ? n : firstDoubtful;
  if (to <= trusted) return {rows: vectors(from, to), floor};
  const start = Math.min(from, trusted);
  const found = vectors(start, n);
  const doubtful = found.subarray((trusted - start) * n);
  const rest = times(doubtful, n - trusted, n, M, length);
  const innerFrom = Math.max(from - trusted, 0);
  const inner = leftVectors(rest, n - trusted, length, innerFrom, to - trusted, floor);
  const rows = new Float64Array((to - from) * n);
  rows.set(found.subarray(0, (trusted - start) * n));
  rows.set(times(inner.rows, to - trusted - innerFrom, n - trusted, doubtful, n), (trusted - start) * n);
  return {rows, floor};
}

function unitRows(n: number, from: number, to: number): Float64Array {
  const rows = new Float64Array((to - from) * n);
  for (let i = from; i < to; i++) rows[(i - from) * n + i] = 1;
  return rows;
}

/** Rows whose cosine is below this count as orthogonal; a singular value is then right to the square of it. */
const orthogonal = 1e-11;

/**
 * One-sided Jacobi rotations (Hestenes 1958) make the rows of Y [count, length] orthogonal; the same rotations go into
 * the companion rows X [count, width], so that X^T Y stays what it is. Then the rows of Y are scaled to length 1 and
 * both are put into descending order of the lengths, which are returned. Lengths up to `floor` become 0, and their
 * rows any orthonormal ones.
 */
function diagonalise(
  Y: Float64Array,
  X: Float64Array,
  count: number,
  length: number,
  width: number,
  floor: number,
): Float64Array {
  const squares = new Float64Array(count);
  const negligible = floor * floor;
  for (let rotated = true; rotated; ) {
    rotated = false;
    for (let p = 0; p < count; p++) squares[p] = dot(Y, p * length, Y, p * length, length);
    for (let p = 0; p < count - 1; p++) {
      for (let q = p + 1; q < count; q++) {
        const a = squares[p]!;
        const b = squares[q]!;
        if (a <= negligible || b <= negligible) continue;
        const overlap = dot(Y, p * length, Y, q * length, length);
        if (Math.abs(overlap) <= orthogonal * Math.sqrt(a) * Math.sqrt(b)) continue;
        rotated = true;
        const ratio = (b - a) / (2 * overlap);
        const tangent = (ratio >= 0 ? 1 : -1) / (Math.abs(ratio) + Math.sqrt(1 + ratio * ratio));
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(Y, p * length, q * length, length, cosine, cosine * tangent);
        rotate(X, p * width, q * width, width, cosine, cosine * tangent);
        squares[p] = a - tangent * overlap;
        squares[q] = b + tangent * overlap;
      }
    }
  }
  const lengths = squares.map(square => (square <= negligible ? 0 : Math.sqrt(square)));
  const order = Array.from(lengths.keys()).sort((p, q) => lengths[q]! - lengths[p]! || p - q);
  reorder(Y, order, length);
  reorder(X, order, width);
  const S = Float64Array.from(order, p => lengths[p]!);
  const numbers = random('null space', length);
  for (let p = 0; p < count; p++) {
    if (S[p] === 0) makeOrthonormal(Y, p, length, numbers);
    else for (let k = p * length; k < (p + 1) * length; k++) Y[k]! /= S[p]!;
  }
  return S;
}

function rotate(M: Float64Array, p: number, q: number, length: number, cosine: number, sine: number): void {
  for (let k = 0; k < length; k++) {
    const first = M[p + k]!;
    const second = M[q + k]!;
    M[p + k] = cosine * first - sine * second;
    M[q + k] = sine * first + cosine * second;
  }
}

function reorder(M: Float64Array, order: number[], length: number): void {
  const old = M.slice();
  order.forEach((from, to) => {
    M.set(old.subarray(from * length, (from + 1) * length), to * length);
  });
}

function makeAllOrthonormal(rows: Float64Array, count: number, length: number, numbers: Random): void {
  for (let index = 0; index < count; index++) makeOrthonormal(rows, index, length, numbers);
}

function largestNorm(rows: Float64Array, count: number, length: number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, dot(rows, i * length, rows, i * length, length));
  return Math.sqrt(largest);
}

function assemble(
  {short, long, transposed}: ShortSideFirst,
  shortSide: Float64Array,
  S: Float64Array,
  longSide: Float64Array,
  rank: number,
): Triplets {
  return transposed
    ? {U: columns(longSide, rank, long), S, V: shortSide}
    : {U: columns(shortSide, rank, short), S, V: longSide};
}

/** [rank, n] to [n, rank]. */
function columns(rows: Float64Array, rank: number, n: number): Float64Array {
  const turned = new Float64Array(rank * n);
  for (let i = 0; i < rank; i++) for (let j = 0; j < n; j++) turned[j * rank + i] = rows[i * n + j]!;
  return turned;
}
