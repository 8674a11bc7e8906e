/**
 * A part of the eigenvectors of a symmetric matrix in float64: Householder tridiagonalisation, all eigenvalues by
 * implicit QL, the wanted eigenvectors by inverse iteration (Golub and Van Loan, Matrix Computations, 8.3 and 8.4).
 */
import {epsilon} from './dense.ts';
import {tridiagonalVectors} from './inverse-iteration.ts';
import {applyReflectors, failed, largestRowSum, type Tridiagonal, tridiagonalise} from './tridiagonal.ts';

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
  const values = eigenvalues(reduction);
  return {
    values,
    vectors(from, to) {
      const rows = tridiagonalVectors(reduction, values.subarray(from, to));
      applyReflectors(rows, to - from, n, A, reduction.scales);
      return rows;
    },
  };
}

/** Two or three are usual. */
const sweepsPerValue = 60;

/** All eigenvalues of a symmetric tridiagonal matrix, descending, by implicit QL with Wilkinson's shift. */
export function eigenvalues(matrix: Tridiagonal): Float64Array {
  const n = matrix.diagonal.length;
  const d = matrix.diagonal.slice();
  const e = new Float64Array(n);
  e.set(matrix.offDiagonal.subarray(1));
  // Together these omissions move no eigenvalue by more than epsilon times the norm.
  const negligible = 0.5 * epsilon * largestRowSum(matrix);
  for (let first = 0; first < n; first++) {
    for (let sweeps = 0; ; sweeps++) {
      let last = first;
      while (last < n - 1) {
        const size = Math.abs(e[last]!);
        if (size <= negligible || size <= epsilon * (Math.abs(d[last]!) + Math.abs(d[last + 1]!))) break;
        last++;
      }
      if (last === first) break;
      if (sweeps === sweepsPerValue) throw failed(`eigenvalue ${first}`, n);
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
