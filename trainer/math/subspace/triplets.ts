/**
 * Singular triplets at one end of a large matrix by Chebyshev-filtered subspace iteration (Zhou, Saad, Tiago and Chelikowsky 2006)
 * from random vectors: nearly all of the work is products, which an engine computes many times as fast as loops. The first
 * filter is in float32, what follows in float64, until the residuals say that nothing is left that float32 could tell.
 */
import {epsilon} from '../dense.ts';
import {spectrum} from '../eigen.ts';
import {diagonalise} from '../jacobi.ts';
import {random} from '../random.ts';
import {assemble, type ShortSideFirst, shortSideFirst} from '../short-side.ts';
import type {Triplets} from '../triplets.ts';
import {filtered, growth} from './chebyshev.ts';
import {inverseOf, orthonormalRows} from './cholesky.ts';
import {double, gramOf, type Matrix, type Products, single} from './products.ts';
import {type Quantiles, quantilesOf} from './quantiles.ts';

export interface WantedEnd {
  end: 'top' | 'bottom';
  rank: number;
}

/** Vectors beyond the wanted ones that are iterated along: the further their values, the faster it converges. */
const least = 64;
const extra = (rank: number): number => Math.max(least, rank >> 2);
/** Below this size the exact algorithm is as fast. */
const smallestSide = 512;

/** Of a vector that was found, the most that lies outside of what it belongs to: a sixtieth of float32's rounding, in which it is kept. */
const tolerance = 2 ** -30;
/** What filters bring it down to: in float32, then in float64. */
const targets = {single: 3e-4, double: tolerance / 4};
/** How much more than on average the vector that a random basis fits least lies outside of it, generously. */
const drawnLeak = 50;
/** Within one filter large components may outgrow small ones by this factor, before rows are made orthonormal again. */
const mostSpread = 1e5;
/** A spectrum that needs a higher degree is left to the exact algorithm. */
const mostDegree = 150;
/** Squared singular values below this share of the largest one drown in the rounding of the Gram matrix. */
const trustedShare = 1e-6;

/** Whether a matrix is large enough, and the wanted part of its spectrum small enough, that this pays. */
export function paysFor(rows: number, cols: number, rank: number): boolean {
  const side = Math.min(rows, cols);
  return side >= smallestSide && rank + extra(rank) <= side / 3;
}

/**
 * The triplets of W [rows, cols]; null where they do not come out by this way (no gap behind them, a singular matrix).
 * @throws SweepError `rank-too-large`, `not-finite`
 */
export async function filteredTriplets(
  W: Float32Array,
  [rows, cols]: [number, number],
  wanted: WantedEnd,
  products: Products,
): Promise<Triplets | null> {
  const matrix = shortSideFirst(W, rows, cols, wanted.rank);
  const problem = await problemOf(matrix, wanted, products);
  if (problem === null) return null;
  const {n, size} = problem;
  let basis: Matrix<Float64Array> | null = {
    values: Float64Array.from(random('subspace', n).uniform(size * n, -1, 1)),
    rows: size,
    cols: n,
  };
  let leak = drawnLeak * Math.sqrt(n / size);
  let estimate = problem.guess;
  for (let spent = 0; ; ) {
    const degree = Math.ceil(Math.log(leak / targets.double) / growth(estimate.last, estimate.edge));
    spent += degree;
    // Also where there is no growth: the degree is infinite then.
    if (!(spent <= mostDegree)) return null;
    basis = await iterated(problem, basis, {...estimate, degree, leak});
    const ritz: Ritz | null = basis && (await ritzPairs(problem, basis));
    if (basis === null || ritz === null) return null;
    if (ritz.leak <= Math.max(tolerance, ritz.floor)) {
      const {short, long, S} = polished(problem, ritz);
      return assemble(matrix, short, S, long, wanted.rank);
    }
    ({estimate, leak} = ritz);
  }
}

/** What is iterated with. */
interface Problem extends WantedEnd {
  /** [n, length], n ≤ length. */
  M: Matrix<Float64Array>;
  n: number;
  /** Vectors that are iterated along. */
  size: number;
  /** Its largest eigenvalues belong to the wanted singular values: M Mᵀ, or (M Mᵀ + shift)⁻¹. */
  B: Matrix<Float64Array>;
  narrow: Matrix<Float32Array>;
  shift: number | null;
  /** B's eigenvalue for a squared singular value. */
  theta(square: number): number;
  /** The largest squared singular value, roughly. */
  largest: number;
  guess: Estimate;
  products: Products;
}

/** Eigenvalues of B: the largest, that of the last wanted vector, and that of the last one iterated along. */
interface Estimate {
  first: number;
  last: number;
  edge: number;
}

async function problemOf(
  {M: values, short: n, long}: ShortSideFirst,
  wanted: WantedEnd,
  products: Products,
): Promise<Problem | null> {
  const M = {values, rows: n, cols: long};
  const size = wanted.rank + extra(wanted.rank);
  const G = await gramOf(M, products);
  let narrow = single(G);
  let quantiles = await quantilesOf(narrow, products);
  const {largest} = quantiles;
  if (!(largest > 0 && Number.isFinite(largest))) return null;
  let B = G;
  let shift: number | null = null;
  if (wanted.end === 'bottom') {
    const shifted = await shiftedInverse(G, quantiles, size, products);
    if (shifted === null) return null;
    ({inverse: B, shift} = shifted);
    narrow = single(B);
    quantiles = await quantilesOf(narrow, products);
  }
  const guess = {
    first: quantiles.largest,
    last: quantiles.above(wanted.rank / n),
    edge: quantiles.above(size / n),
  };
  const theta = (square: number) => (shift === null ? square : 1 / (square + shift));
  return {...wanted, M, n, size, B, narrow, shift, theta, largest, guess, products};
}

/** Shifts are tried this many times, each a part of the one before. */
const shifts = 6;

/**
 * (G + shift)⁻¹, with a shift of the size of the eigenvalues that are iterated along: their inverses then differ from each
 * other by little and from the others' by much. How many there are of that size is the trace of shift · (G + shift)⁻¹.
 */
async function shiftedInverse(
  G: Matrix<Float64Array>,
  quantiles: Quantiles,
  size: number,
  products: Products,
): Promise<{inverse: Matrix<Float64Array>; shift: number} | null> {
  const {values, rows: n} = G;
  let shift = quantiles.above(1 - size / n) / 4;
  for (let attempt = 0; attempt < shifts; attempt++, shift /= 4) {
    if (!(shift > trustedShare * quantiles.largest)) return null;
    const shifted = values.slice();
    for (let i = 0; i < n; i++) shifted[i * n + i]! += shift;
    const inverse = await inverseOf({values: shifted, rows: n, cols: n}, products);
    if (inverse === null) return null;
    let trace = 0;
    for (let i = 0; i < n; i++) trace += inverse.values[i * n + i]!;
    if (shift * trace <= 1.6 * size) return {inverse, shift};
  }
  return null;
}

/** A basis of what B's filter of this degree makes of one, first in float32 and then in float64. */
async function iterated(
  {B, narrow, products}: Problem,
  start: Matrix<Float64Array>,
  {edge, last, first, degree, leak}: Estimate & {degree: number; leak: number},
): Promise<Matrix<Float64Array> | null> {
  const spread = growth(first, edge) - growth(last, edge);
  const most = Math.max(2, Math.floor(Math.log(mostSpread) / Math.max(spread, 1e-9)));
  const inDouble = Math.min(
    degree,
    Math.ceil(Math.log(Math.min(leak, targets.single) / targets.double) / growth(last, edge)),
  );
  let basis: Matrix<Float64Array> | null = start;
  for (let left = degree - inDouble; left > 0 && basis; left -= most) {
    const filter = {B: narrow, edge, degree: Math.min(most, left)};
    basis = await orthonormalRows(double(await filtered(single(basis), filter, products)), 1, products);
  }
  for (let left = inDouble; left > 0 && basis; left -= most) {
    const filter = {B, edge, degree: Math.min(most, left)};
    basis = await orthonormalRows(await filtered(basis, filter, products), left > most ? 1 : 2, products);
  }
  return basis;
}

/** Approximate singular vectors of the short side and M's images of them, as rows. */
interface Pairs {
  short: Matrix<Float64Array>;
  long: Matrix<Float64Array>;
  /** Squared singular values. */
  squares: Float64Array;
}

interface Ritz extends Pairs {
  estimate: Estimate;
  /** Of the vector that has most of it: how much lies outside of what it belongs to. */
  leak: number;
  /** What rounding leaves of it. */
  floor: number;
}

/** The wanted pairs within a basis (Rayleigh and Ritz); null where rounding hides them. */
async function ritzPairs(problem: Problem, basis: Matrix<Float64Array>): Promise<Ritz | null> {
  const {M, n, end, rank, size, theta, largest, products} = problem;
  const images = await products.times(basis, M);
  const H = await products.timesTransposed(images, images);
  const {values, vectors} = spectrum(H.values, size);
  const [from, to] = end === 'top' ? [0, rank] : [size - rank, size];
  const rotation = {values: vectors(from, to), rows: rank, cols: size};
  const short = await products.times(rotation, basis);
  const long = await products.times(rotation, images);
  const squares = values.slice(from, to);
  const [first, last, edgeSquare] =
    end === 'top'
      ? [values[0]!, values[rank - 1]!, values[size - 1]!]
      : [Math.max(values[size - 1]!, 0), values[size - rank]!, values[0]!];
  if (!(Math.max(last, edgeSquare) > trustedShare * largest)) return null;
  const estimate = {first: theta(first), last: theta(last), edge: theta(edgeSquare)};
  const pairs = {short, long, squares};
  const residuals = await residualsOf(problem, pairs);
  const floor = (n * epsilon * largest) / Math.abs(squares[end === 'top' ? rank - 1 : 0]! - edgeSquare);
  return {...pairs, estimate, floor, leak: leakOf(residuals, squares, edgeSquare)};
}

/** The pairs as singular vectors, to the last digit. */
function polished({M, n, rank, largest}: Problem, {short, long}: Pairs) {
  const [shortSide, longSide] = [short.values, long.values];
  const S = diagonalise(longSide, shortSide, rank, M.cols, n, Math.sqrt(largest) * epsilon * n);
  return {short: shortSide, long: longSide, S};
}

/** M Mᵀ q - σ² q for rows q, by way of M itself. */
async function residualsOf({M, products}: Problem, {short, long, squares}: Pairs): Promise<Matrix<Float64Array>> {
  const residuals = await products.timesTransposed(long, M);
  const {values, rows, cols} = residuals;
  for (let row = 0; row < rows; row++) {
    const square = squares[row]!;
    for (let at = row * cols; at < (row + 1) * cols; at++) values[at]! -= square * short.values[at]!;
  }
  return residuals;
}

/** Of the row where it is most: how much of it lies outside of the vectors that are iterated along, to first order. */
function leakOf({values, rows, cols}: Matrix<Float64Array>, squares: Float64Array, edge: number): number {
  let worst = 0;
  for (let row = 0; row < rows; row++) {
    let square = 0;
    for (let k = row * cols; k < (row + 1) * cols; k++) square += values[k]! ** 2;
    worst = Math.max(worst, Math.sqrt(square) / Math.abs(squares[row]! - edge));
  }
  return worst;
}
