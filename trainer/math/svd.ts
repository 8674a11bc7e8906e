/**
 * A few singular triplets at one end of a weight matrix, for PiSSA (top) and MiLoRA (bottom): W ~ U diag(S) V.
 * Float32 in, float64 inside. The same matrix gives the same triplets on every machine; signs are otherwise free.
 */
import {dot, epsilon, gram, times, timesTransposed} from './dense.ts';
import {spectrum} from './eigen.ts';
import {diagonalise} from './jacobi.ts';
import {complementOf, makeAllOrthonormal} from './orthonormal.ts';
import type {Random} from './random.ts';
import {assemble, type ShortSideFirst, shortSideFirst} from './short-side.ts';
import type {Triplets} from './triplets.ts';

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
  // Whichever are fewer, the trusted vectors or the others, are computed; they give the rest of the space away.
  const fewTrusted = trusted < n - trusted;
  const start = fewTrusted ? 0 : Math.min(from, trusted);
  const found = vectors(start, fewTrusted ? trusted : n);
  const doubtful = fewTrusted ? complementOf(found, trusted, n) : found.subarray((trusted - start) * n);
  const rest = times(doubtful, n - trusted, n, M, length);
  const innerFrom = Math.max(from - trusted, 0);
  const inner = leftVectors(rest, n - trusted, length, innerFrom, to - trusted, floor);
  const innerCount = to - trusted - innerFrom;
  const rows = new Float64Array((to - from) * n);
  if (from < trusted) rows.set(found.subarray((from - start) * n, (trusted - start) * n));
  rows.set(times(inner.rows, innerCount, n - trusted, doubtful, n), rows.length - innerCount * n);
  return {rows, floor};
}

function unitRows(n: number, from: number, to: number): Float64Array {
  const rows = new Float64Array((to - from) * n);
  for (let i = from; i < to; i++) rows[(i - from) * n + i] = 1;
  return rows;
}

function largestNorm(rows: Float64Array, count: number, length: number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, dot(rows, i * length, rows, i * length, length));
  return Math.sqrt(largest);
}
