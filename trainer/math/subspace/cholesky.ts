/** What Cholesky's factorisation is used for: orthonormal rows, and the inverse of a positive definite matrix. */
import {epsilon} from '../dense.ts';
import {type Matrix, type Products, transposed} from './products.ts';

/** L⁻¹ [n, n] of A = L Lᵀ, lower; null where A is not positive definite to rounding. Only A's lower half is read. */
export function inverseFactor({values: A, rows: n}: Matrix<Float64Array>): Matrix<Float64Array> | null {
  const L = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const own = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let rest = A[own + j]!;
      for (let k = 0; k < j; k++) rest -= L[own + k]! * L[other + k]!;
      if (j < i) L[own + j] = rest / L[other + j]!;
      else if (rest > n * epsilon * A[own + i]!) L[own + i] = Math.sqrt(rest);
      else return null;
    }
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const own = i * n;
    inverse[own + i] = 1;
    for (let k = 0; k < i; k++) {
      const factor = L[own + k]!;
      for (let j = 0; j <= k; j++) inverse[own + j]! -= factor * inverse[k * n + j]!;
    }
    const pivot = L[own + i]!;
    for (let j = 0; j <= i; j++) inverse[own + j]! /= pivot;
  }
  return {values: inverse, rows: n, cols: n};
}

/**
 * Orthonormal rows that span what the rows of Y span, or null where they depend on each other to rounding. One pass
 * leaves ε·κ², a second one ε. Y's rows are scaled in place.
 */
export async function orthonormalRows(
  Y: Matrix<Float64Array>,
  passes: 1 | 2,
  products: Products,
): Promise<Matrix<Float64Array> | null> {
  const {values, rows, cols} = Y;
  for (let start = 0; start < rows * cols; start += cols) {
    let square = 0;
    for (let k = start; k < start + cols; k++) square += values[k]! * values[k]!;
    const factor = 1 / Math.sqrt(square);
    if (!Number.isFinite(factor)) return null;
    for (let k = start; k < start + cols; k++) values[k]! *= factor;
  }
  let basis = Y;
  for (let pass = 0; pass < passes; pass++) {
    const inverse = inverseFactor(await products.timesTransposed(basis, basis));
    if (inverse === null) return null;
    basis = await products.times(inverse, basis);
  }
  return basis;
}

/** Matrices up to this size are inverted without products. */
const smallest = 64;

/** A⁻¹ of a symmetric positive definite A, by Schur complements of halves; null where A is not positive definite to rounding. */
export async function inverseOf(A: Matrix<Float64Array>, products: Products): Promise<Matrix<Float64Array> | null> {
  const n = A.rows;
  if (n <= smallest) {
    const factor = inverseFactor(A);
    return factor && products.times(transposed(factor), factor);
  }
  const half = n >> 1;
  const first = await inverseOf(block(A, 0, 0, half), products);
  if (first === null) return null;
  const low = block(A, half, 0, half);
  const through = await products.times(low, first);
  const back = await products.timesTransposed(through, low);
  const last = block(A, half, half, n - half);
  const second = await inverseOf(minus(last, back), products);
  if (second === null) return null;
  const corner = await products.times(second, through);
  const inner = await products.times(transposed(through), corner);
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < half; i++)
    for (let j = 0; j < half; j++) inverse[i * n + j] = first.values[i * half + j]! + inner.values[i * half + j]!;
  for (let i = half; i < n; i++) {
    for (let j = 0; j < half; j++) inverse[i * n + j] = inverse[j * n + i] = -corner.values[(i - half) * half + j]!;
    for (let j = half; j < n; j++) inverse[i * n + j] = second.values[(i - half) * (n - half) + j - half]!;
  }
  return {values: inverse, rows: n, cols: n};
}

/** The part of A from row `top` to its end (or `size` rows), `size` columns from `left`. */
function block({values, rows, cols}: Matrix<Float64Array>, top: number, left: number, size: number) {
  const height = top === 0 ? size : rows - top;
  const part = new Float64Array(height * size);
  for (let i = 0; i < height; i++) {
    const start = (top + i) * cols + left;
    part.set(values.subarray(start, start + size), i * size);
  }
  return {values: part, rows: height, cols: size};
}

function minus({values, rows, cols}: Matrix<Float64Array>, B: Matrix<Float64Array>): Matrix<Float64Array> {
  return {values: values.map((value, i) => value - B.values[i]!), rows, cols};
}
