/** Eigenvectors of a symmetric tridiagonal float64 matrix whose eigenvalues are known. */
import {epsilon} from './dense.ts';
import {makeOrthonormal} from './orthonormal.ts';
import {type Random, random} from './random.ts';
import {failed, largestRowSum, type Tridiagonal} from './tridiagonal.ts';

const solvesPerStart = 8;
const starts = 4;

/**
 * Orthonormal eigenvectors of the given eigenvalues as rows [values, n], by inverse iteration from random vectors.
 * Each is made orthogonal to its neighbours before it at every solve, and to all before it at the end, so that repeated
 * and clustered eigenvalues give a full set too.
 * @throws SweepError `svd-failed`
 */
export function tridiagonalVectors(matrix: Tridiagonal, values: Float64Array): Float64Array {
  const n = matrix.diagonal.length;
  const rows = new Float64Array(values.length * n);
  const norm = largestRowSum(matrix);
  const numbers = random('inverse iteration', n);
  const system = new ShiftedSystem(matrix, epsilon * norm);
  for (let index = 0; index < values.length; index++) {
    system.factorise(values[index]!);
    if (!findVector(system, rows, index, values, norm, numbers)) {
      throw failed(`eigenvector ${index}`, n);
    }
  }
  return rows;
}

/** Eigenvalues further apart than this share of the norm do not let their vectors mix: a solve parts them by itself. */
const close = 1e-3;

/** Finds row `index` of `rows`; false when no start came near an eigenvector. */
function findVector(
  system: ShiftedSystem,
  rows: Float64Array,
  index: number,
  values: Float64Array,
  norm: number,
  numbers: Random,
): boolean {
  const n = system.n;
  const value = values[index]!;
  const row = rows.subarray(index * n, (index + 1) * n);
  let first = index;
  while (first > 0 && values[first - 1]! - value <= close * norm) first--;
  const neighbours = rows.subarray(first * n, (index + 1) * n);
  for (let start = 0; start < starts; start++) {
    row.set(numbers.normal(n));
    makeOrthonormal(neighbours, index - first, n, numbers);
    let converged = 0;
    for (let solve = 0; solve < solvesPerStart && converged < 2; solve++) {
      system.solve(row);
      makeOrthonormal(neighbours, index - first, n, numbers);
      // Once more after the residual is down to rounding: it settles the directions of close neighbours.
      if (system.residual(row, value) <= 4 * epsilon * norm) converged++;
    }
    makeOrthonormal(rows, index, n, numbers);
    if (system.residual(row, value) <= 1e3 * epsilon * norm) return true;
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

  constructor({diagonal, offDiagonal}: Tridiagonal, smallest: number) {
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
