/**
 * Singular triplets at one end of a large matrix by Chebyshev-filtered subspace iteration (Zhou, Saad, Tiago and Chelikowsky 2006)
 * from random vectors: nearly all of the work is products, which an engine computes many times as fast as loops. All filters are in float32:
 * the first of the vectors themselves, later ones of what is left of them, which is small. What is left is computed in float64, until it says
 * that there is nothing that float32 could tell.
 */
import {epsilon} from '../dense.ts';
import {spectrum} from '../eigen.ts';
import {diagonalise} from '../jacobi.ts';
import {random} from '../random.ts';
import {assemble, type ShortSideFirst, shortSideFirst} from '../short-side.ts';
import type {Triplets} from '../triplets.ts';
import {type Eigenvectors, filterCorrection, filtered, growth} from './chebyshev.ts';
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
/**
 * What filters bring it down to: those of the vectors, where float32 stops at about 5e-6 and what is asked beyond costs little; and those of
 * what is left.
 */
const targets = {first: 1e-7, later: tolerance / 4};
/** Above this a correction, which leaves about the square of what it begins with, would not be enough. */
const rough = 3e-5;
/** Degrees beyond what is expected: another round costs many times as much. */
const margin = 1.2;
/** What is left becomes smaller by no more than this at a time, as float32 has seven digits of it. */
const mostAtOnce = 1e-6;
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
  const start = {
    values: Float64Array.from(random('subspace', n).uniform(size * n, -1, 1)),
    rows: size,
    cols: n,
  };
  const {last, edge} = problem.guess;
  const leak = drawnLeak * Math.sqrt(n / size);
  let spent = Math.ceil(Math.log(leak / targets.first) / growth(last, edge));
  // Also where there is no growth: the degree is infinite then.
  if (!(spent <= mostDegree)) return null;
  let basis = await iterated(problem, start, spent);
  for (let before = Infinity; basis; ) {
    const approximate = await approximateOf(problem, basis);
    // Where others are far above these, float32 stops earlier.
    const isRough = approximate.leak > rough && approximate.leak < before / 10;
    before = approximate.leak;
    const degree = isRough ? degreeUntil(targets.first, approximate) : degreeFor(problem, approximate);
    spent += degree;
    if (!(spent <= mostDegree)) return null;
    if (isRough) {
      basis = await iterated({...problem, guess: guessFrom(approximate)}, basis, degree);
      continue;
    }
    const corrected = await correctedRows(problem, approximate, degree);
    const ritz: Ritz | null = corrected && (await ritzPairs(problem, corrected, approximate.edge));
    if (corrected === null || ritz === null) return null;
    if (ritz.leak <= Math.max(tolerance, ritz.floor)) {
      const {short, long, S} = polished(problem, ritz);
      return assemble(matrix, short, S, long, wanted.rank);
    }
    basis = await orthonormalRows(stacked(corrected, await approximate.others()), 2, products);
  }
  return null;
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
  /** Null where B is M Mᵀ itself. */
  shift: number | null;
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
  return {...wanted, M, n, size, B, narrow, shift, largest, guess, products};
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

/** A basis of what B's filter of this degree makes of one; null where its rows depend on each other however little is done at a time. */
async function iterated(
  {narrow, products, guess: {first, last, edge}}: Problem,
  start: Matrix<Float64Array>,
  degree: number,
): Promise<Matrix<Float64Array> | null> {
  const spread = growth(first, edge) - growth(last, edge);
  let most = Math.max(2, Math.floor(Math.log(mostSpread) / Math.max(spread, 1e-9)));
  let basis = start;
  for (let left = degree; left > 0; ) {
    const filter = {B: narrow, edge, degree: Math.min(most, left)};
    const made = double(await filtered(single(basis), filter, products));
    const next = await orthonormalRows(made, left > most ? 1 : 2, products);
    if (next === null && most === 1) return null;
    if (next === null) {
      // The smallest components have drowned in the rounding of the largest.
      most = Math.ceil(most / 2);
      continue;
    }
    basis = next;
    left -= filter.degree;
  }
  return basis;
}

/** The wanted eigenvectors of B, approximately: those within a basis, the largest value first. */
interface Approximate extends Eigenvectors {
  /** Of the vector that has most of it: how much lies outside of the basis. */
  leak: number;
  /** The largest eigenvalue, roughly, that none of the basis belongs to. */
  edge: number;
  /** The rest of the basis. */
  others(): Promise<Matrix<Float64Array>>;
}

async function approximateOf(
  {B, rank, size, guess, products}: Problem,
  basis: Matrix<Float64Array>,
): Promise<Approximate> {
  const images = await products.times(basis, B);
  const {values, vectors: rows} = spectrum((await products.timesTransposed(images, basis)).values, size);
  const rotation = {values: rows(0, rank), rows: rank, cols: size};
  const vectors = await products.times(rotation, basis);
  const left = await products.times(rotation, images);
  subtractRows(left, values, vectors);
  // The last vectors of a basis are not what they will be, and their values too low.
  const [last, middle] = [values[rank - 1]!, values[(rank + size) >> 1]!];
  const edge = Math.max(values[size - 1]!, Math.min(guess.edge, middle), 2 * middle - last);
  return {
    ...{vectors, left, edge},
    values: values.slice(0, rank),
    leak: leakOf(left, values, edge),
    others: () => products.times({values: rows(rank, size), rows: size - rank, cols: size}, basis),
  };
}

/** What brings the leak down to a target. */
const degreeUntil = (target: number, {leak, values, edge}: Approximate): number =>
  Math.max(2, Math.ceil(Math.log(leak / target) / growth(values.at(-1)!, edge)));

const guessFrom = ({values, edge}: Approximate): Estimate => ({first: values[0]!, last: values.at(-1)!, edge});

/** What brings the leak down to where it should be, as far as float32 can at a time. */
function degreeFor({shift, largest}: Problem, {leak, values, edge}: Approximate): number {
  const last = values.at(-1)!;
  // By way of M what leaks to the other end of the spectrum counts more than it does here.
  const there = shift === null ? 1 : largest / (1 / edge - 1 / last);
  const seen = leak * Math.max(1, (there * (last - edge)) / last);
  const wished = Math.log(seen / Math.max(targets.later, leak * mostAtOnce)) / growth(last, edge);
  return Math.max(2, Math.ceil(margin * wished));
}

/** A basis of what a filter of this degree makes of the vectors. */
async function correctedRows(
  {narrow, products}: Problem,
  {edge, ...found}: Approximate,
  degree: number,
): Promise<Matrix<Float64Array> | null> {
  const correction = await filterCorrection(found, {B: narrow, edge, degree}, products);
  for (let k = 0; k < correction.values.length; k++) correction.values[k]! += found.vectors.values[k]!;
  return orthonormalRows(correction, 2, products);
}

function stacked(above: Matrix<Float64Array>, below: Matrix<Float64Array>): Matrix<Float64Array> {
  const values = new Float64Array(above.values.length + below.values.length);
  values.set(above.values);
  values.set(below.values, above.values.length);
  return {values, rows: above.rows + below.rows, cols: above.cols};
}

/** Approximate singular vectors of the short side and M's images of them, as rows. */
interface Pairs {
  short: Matrix<Float64Array>;
  long: Matrix<Float64Array>;
  /** Squared singular values. */
  squares: Float64Array;
}

interface Ritz extends Pairs {
  /** Of the vector that has most of it: how much lies outside of what it belongs to. */
  leak: number;
  /** What rounding leaves of it. */
  floor: number;
}

/** The pairs that a basis of as many rows belongs to (Rayleigh and Ritz), by way of M; null where rounding hides them. */
async function ritzPairs(problem: Problem, basis: Matrix<Float64Array>, edge: number): Promise<Ritz | null> {
  const {M, n, end, rank, largest, shift, products} = problem;
  const images = await products.times(basis, M);
  const H = await products.timesTransposed(images, images);
  const {values: squares, vectors} = spectrum(H.values, rank);
  const rotation = {values: vectors(0, rank), rows: rank, cols: rank};
  const short = await products.times(rotation, basis);
  const long = await products.times(rotation, images);
  const edgeSquare = shift === null ? edge : 1 / edge - shift;
  const lastSquare = squares[end === 'top' ? rank - 1 : 0]!;
  if (!(Math.max(lastSquare, edgeSquare) > trustedShare * largest)) return null;
  const pairs = {short, long, squares};
  const residuals = await residualsOf(problem, pairs);
  const floor = (n * epsilon * largest) / Math.abs(lastSquare - edgeSquare);
  return {...pairs, floor, leak: leakOf(residuals, squares, edgeSquare)};
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
  subtractRows(residuals, squares, short);
  return residuals;
}

/** Takes factor · row off each row. */
function subtractRows(from: Matrix<Float64Array>, factors: Float64Array, rows: Matrix<Float64Array>): void {
  for (let row = 0, at = 0; row < from.rows; row++)
    for (const factor = factors[row]!; at < (row + 1) * from.cols; at++) from.values[at]! -= factor * rows.values[at]!;
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
