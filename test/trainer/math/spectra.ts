/** Matrices with known singular values, and what a decomposition of them must fulfil. */
import {dot, times} from '../../../trainer/math/dense.ts';
import {makeAllOrthonormal} from '../../../trainer/math/orthonormal.ts';
import {random} from '../../../trainer/math/random.ts';
import type {Triplets} from '../../../trainer/math/triplets.ts';

/** Orthonormal rows [count, length]. */
export function orthonormalRows(name: string, count: number, length: number): Float64Array {
  const numbers = random(name, count, length);
  const rows = numbers.normal(count * length);
  makeAllOrthonormal(rows, count, length, numbers);
  return rows;
}

export function transpose(M: Float64Array, rows: number, cols: number): Float64Array {
  const turned = new Float64Array(M.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) turned[j * rows + i] = M[i * cols + j]!;
  return turned;
}

/** U diag(S) V for the triplets first .. last - 1. */
export function product({U, S, V}: Triplets, rows: number, cols: number): Float64Array {
  const rank = S.length;
  return times(
    U.map((value, i) => value * S[i % rank]!),
    rows,
    rank,
    V,
    cols,
  );
}

/** A float32 matrix [rows, cols] with (up to rounding) these min(rows, cols) singular values, and its triplets. */
export function matrixWith(values: number[], rows: number, cols: number): {W: Float32Array; exact: Triplets} {
  const side = Math.min(rows, cols);
  const exact = {
    U: transpose(orthonormalRows('U', side, rows), side, rows),
    S: Float64Array.from(values),
    V: orthonormalRows('V', side, cols),
  };
  return {W: Float32Array.from(product(exact, rows, cols)), exact};
}

export const norm = (x: Float64Array | Float32Array): number =>
  Math.sqrt(Array.from<number>(x).reduce((sum, value) => sum + value * value, 0));

/** ‖a - b‖ / ‖b‖ in the Frobenius norm. */
export function relativeDifference(a: Float64Array, b: Float64Array | Float32Array): number {
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
}

/** Largest departure of the columns of U and the rows of V from orthonormality. */
export function orthonormality({U, S, V}: Triplets, rows: number, cols: number): number {
  const rank = S.length;
  const left = transpose(U, rows, rank);
  let worst = 0;
  for (let i = 0; i < rank; i++) {
    for (let j = 0; j <= i; j++) {
      const expected = i === j ? 1 : 0;
      worst = Math.max(
        worst,
        Math.abs(dot(left, i * rows, left, j * rows, rows) - expected),
        Math.abs(dot(V, i * cols, V, j * cols, cols) - expected),
      );
    }
  }
  return worst;
}
