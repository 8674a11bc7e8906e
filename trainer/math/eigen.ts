/**
 * A part of the eigenvectors of a symmetric matrix in float64: Householder tridiagonalisation, all eigenvalues by
 * implicit QL, the wanted eigenvectors by inverse iteration (Golub and Van Loan, Matrix Computations, 8.3 and 8.4).
 */
import {SweepError} from '../../core/error.ts';
import {dot, epsilon} from './dense.ts';
import {makeOrthonormal} from './orthonormal.ts';
import {type Random, random} from './random.ts';

/** A symmetric matrix taken apart: its eigenvalues, and what is needed to find eigenvectors. */
export interface Spectrum {
  /** All n eigenvalues in descending order, each within a few n * epsilon of the largest absolute one. */
  values: Float64Array;
  /** Orthonormal eigenvectors of the eigenvalues `from` .. `to` - 1 as rows [to - from, n]. */
  vectors(from: number, to: number): Float64Array;
}

/** @param A [n, n], lower half; overwritten */
export function spectrum(A: Float64Array, n: number): Spectrum {
  const reduction = tridiagonalise(A, n);
  const values = eigenvalues(reduction.diagonal, reduction.offDiagonal);
  return {
    values,
    vectors(from, to) {
      const rows = tridiagonalVectors(reduction.diagonal, reduction.offDiagonal, values.subarray(from, to));
      applyReflectors(rows, to - from, n, A, reduction.scales);
      return rows;
    },
  };
}

interface Tridiagonal {
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
function tridiagonalise(A: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const scales = new Float64Array(n);
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
    if (rest === 0) {
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
    updateAndMultiply(A, n, i, v, w, nextV, nextW);
    const scale = scales[i]!;
    const half = (scale * scale * dot(nextW, 0, nextV, 0, i)) / 2;
    for (let k = 0; k < i; k++) nextW[k] = scale * nextW[k]! - half * nextV[k]!;
    [v, nextV] = [nextV, v];
    [w, nextW] = [nextW, w];
  }
  diagonal[0] = A[0]! - 2 * v[0]! * w[0]!;
  return {diagonal, offDiagonal, scales};
}

/** The leading `size` rows of A -= v w^T + w v^T, then y += A x; lower half only, two rows at a time. */
function updateAndMultiply(
  A: Float64Array,
  n: number,
  size: number,
  v: Float64Array,
  w: Float64Array,
  x: Float64Array,
  y: Float64Array,
): void {
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
function applyReflectors(rows: Float64Array, count: number, n: number, A: Float64Array, scales: Float64Array): void {
  // A tile of rows stays in the cache while all reflectors pass over it.
  for (let tile = 0; tile < count; tile += 32) {
    const tileEnd = Math.min(count, tile + 32);
    for (let i = 1; i < n; i++) {
      const scale = scales[i]!;
      if (scale === 0) continue;
      for (let r = tile; r < tileEnd; r++) {
        const factor = scale * dot(rows, r * n, A, i * n, i);
        for (let k = 0, at = r * n, from = i * n; k < i; k++) rows[at++]! -= factor * A[from++]!;
      }
    }
  }
}

/** All eigenvalues of a symmetric tridiagonal matrix, descending, by implicit QL with Wilkinson's shift. */
function eigenvalues(diagonal: Float64Array, offDiagonal: Float64Array): Float64Array {
  const n = diagonal.length;
  const d = diagonal.slice();
  const e = new Float64Array(n);
  e.set(offDiagonal.subarray(1));
  const negligible = 1e-3 * epsilon * largestRowSum(diagonal, offDiagonal);
  for (let first = 0; first < n; first++) {
    for (;;) {
      let last = first;
      while (last < n - 1) {
        const size = Math.abs(e[last]!);
        if (size <= negligible || size <= epsilon * (Math.abs(d[last]!) + Math.abs(d[last + 1]!))) break;
        last++;
      }
      if (last === first) break;
      qlSweep(d, e, first, last);
    }
  }
  return d.sort().reverse();
}

/** One implicit QL sweep over the unreduced block first .. last, which brings its first value to rest. */
function qlSweep(d: Float64Array, e: Float64Array, first: number, last: number): void {
  const half = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const root = Math.sqrt(half * half + 1);
  const shift = d[first]! - e[first]! / (half + (half >= 0 ? root : -root));
  let bulge = d[last]! - shift;
  let cosine = 1;
  let sine = 1;
  let carried = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const length = Math.sqrt(f * f + bulge * bulge);
    e[i + 1] = length;
    if (length === 0) {
      d[i + 1]! -= carried;
      e[last] = 0;
      return;
    }
    sine = f / length;
    cosine = bulge / length;
    const moved = d[i + 1]! - carried;
    const mixed = (d[i]! - moved) * sine + 2 * cosine * b;
    carried = sine * mixed;
    d[i + 1] = moved + carried;
    bulge = cosine * mixed - b;
  }
  d[first]! -= carried;
  e[first] = bulge;
  e[last] = 0;
}

function largestRowSum(diagonal: Float64Array, offDiagonal: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < diagonal.length; i++) {
    const sum = Math.abs(offDiagonal[i]!) + Math.abs(diagonal[i]!) + Math.abs(offDiagonal[i + 1] ?? 0);
    largest = Math.max(largest, sum);
  }
  return largest;
}

const solvesPerStart = 8;
const starts = 4;

/**
 * Inverse iteration from random vectors. Each vector is made orthogonal to all before it, so that repeated and
 * clustered eigenvalues give a full orthonormal set too.
 */
function tridiagonalVectors(diagonal: Float64Array, offDiagonal: Float64Array, values: Float64Array): Float64Array {
  const n = diagonal.length;
  const rows = new Float64Array(values.length * n);
  const norm = largestRowSum(diagonal, offDiagonal);
  const numbers = random('inverse iteration', n);
  const system = new ShiftedSystem(diagonal, offDiagonal, epsilon * norm);
  for (let index = 0; index < values.length; index++) {
    system.factorise(values[index]!);
    if (!findVector(system, rows, index, values[index]!, norm, numbers)) {
      throw new SweepError(
        'svd-failed',
        `An eigenvector of a ${n} x ${n} matrix could not be found by inverse iteration; please report this matrix.`,
        {size: n, index},
      );
    }
  }
  return rows;
}

/** Finds row `index` of `rows`; false when no start came near an eigenvector. */
function findVector(
  system: ShiftedSystem,
  rows: Float64Array,
  index: number,
  value: number,
  norm: number,
  numbers: Random,
): boolean {
  const n = system.n;
  const row = rows.subarray(index * n, (index + 1) * n);
  for (let start = 0; start < starts; start++) {
    row.set(numbers.normal(n));
    let converged = 0;
    let residual = Number.POSITIVE_INFINITY;
    for (let solve = 0; solve < solvesPerStart && converged < 2; solve++) {
      makeOrthonormal(rows, index, n, numbers);
      system.solve(row);
      makeOrthonormal(rows, index, n, numbers);
      residual = system.residual(row, value);
      // Once more after the residual is down to rounding: it settles the directions of close neighbours.
      if (residual <= 4 * epsilon * norm) converged++;
    }
    if (residual <= 1e3 * epsilon * norm) return true;
  }
  return false;
}

/** T - value I = P L U by elimination with row exchanges, for a symmetric tridiagonal T. */
class ShiftedSystem {
  readonly n: number;
  private readonly diagonal: Float64Array;
  private readonly offDiagonal: Float64Array;
  /** Pivots that vanish are replaced by this: the shift is an eigenvalue, so one always nearly does. */
  private readonly smallest: number;
  private readonly multiplier: Float64Array;
  private readonly exchanged: Uint8Array;
  private readonly pivot: Float64Array;
  private readonly next: Float64Array;
  private readonly afterNext: Float64Array;

  constructor(diagonal: Float64Array, offDiagonal: Float64Array, smallest: number) {
    this.n = diagonal.length;
    this.diagonal = diagonal;
    this.offDiagonal = offDiagonal;
    this.smallest = smallest;
    this.multiplier = new Float64Array(this.n);
    this.exchanged = new Uint8Array(this.n);
    this.pivot = new Float64Array(this.n);
    this.next = new Float64Array(this.n);
    this.afterNext = new Float64Array(this.n);
  }

  factorise(value: number): void {
    const {n, diagonal, offDiagonal, multiplier, exchanged, pivot, next, afterNext} = this;
    let head = diagonal[0]! - value;
    let tail = offDiagonal[1] ?? 0;
    for (let i = 0; i < n - 1; i++) {
      const below = offDiagonal[i + 1]!;
      const belowDiagonal = diagonal[i + 1]! - value;
      const belowNext = offDiagonal[i + 2] ?? 0;
      const swap = Math.abs(below) > Math.abs(head);
      exchanged[i] = swap ? 1 : 0;
      if (swap) {
        pivot[i] = below;
        next[i] = belowDiagonal;
        afterNext[i] = belowNext;
        multiplier[i] = head / below;
        head = tail - multiplier[i]! * belowDiagonal;
        tail = -multiplier[i]! * belowNext;
      } else {
        pivot[i] = Math.abs(head) < this.smallest ? this.smallest : head;
        next[i] = tail;
        afterNext[i] = 0;
        multiplier[i] = below / pivot[i]!;
        head = belowDiagonal - multiplier[i]! * tail;
        tail = belowNext;
      }
    }
    pivot[n - 1] = Math.abs(head) < this.smallest ? this.smallest : head;
  }

  /** Overwrites x with the solution, up to its length. */
  solve(x: Float64Array): void {
    const {n, multiplier, exchanged, pivot, next, afterNext} = this;
    for (let i = 0; i < n - 1; i++) {
      const here = x[i]!;
      if (exchanged[i]) {
        x[i] = x[i + 1]!;
        x[i + 1] = here - multiplier[i]! * x[i]!;
      } else {
        x[i + 1]! -= multiplier[i]! * here;
      }
    }
    let x1 = 0;
    let x2 = 0;
    for (let i = n - 1; i >= 0; i--) {
      const solved = (x[i]! - next[i]! * x1 - afterNext[i]! * x2) / pivot[i]!;
      x2 = x1;
      x1 = solved;
      x[i] = solved;
    }
  }

  /** Largest absolute value of T x - value x. */
  residual(x: Float64Array, value: number): number {
    const {n, diagonal, offDiagonal} = this;
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const before = i > 0 ? offDiagonal[i]! * x[i - 1]! : 0;
      const after = i < n - 1 ? offDiagonal[i + 1]! * x[i + 1]! : 0;
      largest = Math.max(largest, Math.abs((diagonal[i]! - value) * x[i]! + before + after));
    }
    return largest;
  }
}
