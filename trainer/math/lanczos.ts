/** Extreme eigenvalues of a symmetric operator by Lanczos iteration (Lanczos 1950; Parlett, The Symmetric Eigenvalue Problem, chapter 13). */
import {SweepError} from '../../core/error.ts';
import {dot, epsilon} from './dense.ts';
import {eigenvalues} from './eigen.ts';
import {tridiagonalVectors} from './inverse-iteration.ts';
import {makeOrthonormal} from './orthonormal.ts';
import {random} from './random.ts';
import {largestRowSum, type Tridiagonal} from './tridiagonal.ts';

/** x ↦ A·x for a symmetric A; the argument is not to be changed or kept. */
export type Operator = (x: Float64Array) => Float64Array | Promise<Float64Array>;

export interface LanczosOptions {
  /** Products at most. */
  maxIterations: number;
  /** Both extreme Ritz values moved by less than this (absolute) in the last iteration. */
  tolerance: number;
  /**
   * And each has a residual of at most this times its size, so that an eigenvalue lies that close to it. Without it,
   * a Ritz value that rests on a plateau is taken for an eigenvalue.
   */
  accuracy?: number;
  /** Iterations before stopping is thought of. */
  atLeast?: number;
  /** Ritz vectors are wanted too. */
  vectors?: boolean;
}

/** An approximate eigenpair. */
export interface Ritz {
  value: number;
  /** ‖A·y - θ·y‖ of its Ritz vector: some eigenvalue lies within this of `value`. */
  residual: number;
  vector?: Float64Array;
}

export interface LanczosResult {
  largest: Ritz;
  smallest: Ritz;
  /** Products taken. */
  iterations: number;
  /** False where `maxIterations` came first. */
  converged: boolean;
}

/** A vector this much shorter than the operator's norm is rounding: the Krylov space is exhausted. */
const exhausted = 64 * epsilon;
/** A Ritz value this small beside the operator's norm need not be known to a part of its own size. */
const smallestScale = 1e-3;

/**
 * Largest and smallest eigenvalue of A from the Krylov space of `start`, which need not have length 1. Every new
 * vector is made orthogonal to all before it. Where that space is exhausted, the iteration goes on from a random
 * direction orthogonal to it, so that no eigenvalue is missed because `start` did not contain its vector; a space
 * exhausted from a random direction, or the whole space, ends it.
 * @throws SweepError `not-finite` where the operator gives something that is not a number
 */
export async function lanczos(apply: Operator, start: Float64Array, options: LanczosOptions): Promise<LanczosResult> {
  const {maxIterations, tolerance, accuracy = Number.POSITIVE_INFINITY, atLeast = 5, vectors = false} = options;
  const n = start.length;
  const most = Math.min(maxIterations, n);
  if (!(most >= 1)) throw new RangeError(`${maxIterations} iterations over ${n} numbers`);
  const numbers = random('lanczos restart', n);
  const basis = new Basis(n);
  const diagonal: number[] = [];
  const offDiagonal: number[] = [0];
  let norm = 0;
  let restarted = !basis.add(start, numbers);
  let before: [number, number] = [Number.NaN, Number.NaN];
  let sinceRestart = 0;
  for (;;) {
    const last = basis.count - 1;
    const product = Float64Array.from(await apply(basis.vector(last)));
    const alpha = dot(product, 0, basis.vector(last), 0, n);
    basis.reduce(product);
    const beta = Math.sqrt(dot(product, 0, product, 0, n));
    ensureFinite(alpha + beta, last + 1);
    diagonal.push(alpha);
    norm = Math.max(norm, Math.abs(alpha) + beta + Math.abs(offDiagonal[last]!));
    sinceRestart++;

    const isExhausted = beta <= exhausted * norm;
    const small = {
      diagonal: Float64Array.from(diagonal),
      offDiagonal: Float64Array.from(offDiagonal),
      scales: noScales,
    };
    const values = eigenvalues(small);
    const [theta, bottom] = [values[0]!, values.at(-1)!];
    const settled =
      sinceRestart >= atLeast && Math.abs(theta - before[0]) < tolerance && Math.abs(bottom - before[1]) < tolerance;
    before = [theta, bottom];
    const complete = basis.count === n || (isExhausted && restarted);
    if (complete || settled || basis.count === most) {
      const ends = extremes(small, theta, bottom, complete ? 0 : beta);
      const bound = (value: number) => accuracy * Math.max(Math.abs(value), smallestScale * norm);
      const accurate = ends.every(({value, residual}) => residual <= bound(value));
      if (complete || (settled && accurate) || basis.count === most)
        return {
          largest: basis.ritz(ends[0]!, vectors),
          smallest: basis.ritz(ends[1]!, vectors),
          iterations: basis.count,
          converged: complete || (settled && accurate),
        };
    }
    if (isExhausted) {
      product.set(numbers.normal(n));
      restarted = true;
      sinceRestart = 0;
    }
    basis.add(product, numbers);
    offDiagonal.push(isExhausted ? 0 : beta);
  }
}

const noScales = new Float64Array(0);

function ensureFinite(value: number, iteration: number): void {
  if (Number.isFinite(value)) return;
  throw new SweepError(
    'not-finite',
    `The operator gave a value that is not finite in iteration ${iteration}; look at the point it is taken at.`,
    {iteration},
  );
}

/** An eigenpair of the small tridiagonal matrix. */
interface SmallPair {
  value: number;
  residual: number;
  /** In the basis. */
  coefficients: Float64Array;
}

/** Both extreme eigenpairs; the residual of a Ritz vector is β times the last coefficient (Parlett, 13.2). */
function extremes(matrix: Tridiagonal, largest: number, smallest: number, beta: number): SmallPair[] {
  const n = matrix.diagonal.length;
  return [largest, smallest].map(value => {
    if (n === 1 || largestRowSum(matrix) === 0) {
      const coefficients = new Float64Array(n);
      coefficients[0] = 1;
      return {value, residual: n === 1 ? beta : 0, coefficients};
    }
    const coefficients = tridiagonalVectors(matrix, Float64Array.of(value));
    return {value, residual: beta * Math.abs(coefficients[n - 1]!), coefficients};
  });
}

/** The orthonormal Lanczos vectors, in one growing array. */
class Basis {
  readonly #length: number;
  #rows: Float64Array;
  count = 0;

  constructor(length: number) {
    this.#length = length;
    this.#rows = new Float64Array(8 * length);
  }

  vector(index: number): Float64Array {
    return this.#rows.subarray(index * this.#length, (index + 1) * this.#length);
  }

  /** Adds a vector, made orthonormal; false where it was nothing but zeros and a random direction took its place. */
  add(vector: Float64Array, numbers: ReturnType<typeof random>): boolean {
    const needed = (this.count + 1) * this.#length;
    if (needed > this.#rows.length) {
      const larger = new Float64Array(2 * this.#rows.length);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows.set(vector, this.count * this.#length);
    const isZero = vector.every(value => value === 0);
    makeOrthonormal(this.#rows, this.count++, this.#length, numbers);
    return !isZero;
  }

  /** Takes all basis vectors out of `vector`, twice, since rounding leaves a part behind the first time. */
  reduce(vector: Float64Array): void {
    const length = this.#length;
    for (let pass = 0; pass < 2; pass++)
      for (let row = 0; row < this.count * length; row += length) {
        const overlap = dot(vector, 0, this.#rows, row, length);
        for (let k = 0; k < length; k++) vector[k]! -= overlap * this.#rows[row + k]!;
      }
  }

  /** Σ coefficients · basis vectors */
  ritz({value, residual, coefficients}: SmallPair, wanted: boolean): Ritz {
    if (!wanted) return {value, residual};
    const vector = new Float64Array(this.#length);
    for (let row = 0; row < this.count; row++)
      for (let k = 0; k < this.#length; k++) vector[k]! += coefficients[row]! * this.#rows[row * this.#length + k]!;
    return {value, residual, vector};
  }
}
