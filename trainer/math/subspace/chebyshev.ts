/** Chebyshev polynomials of a symmetric matrix B, large above an edge and within ±1 between 0 and the edge. */
import {double, type Matrix, type Numbers, type Products, single} from './products.ts';

/** How much of one degree an eigenvalue is worth: T_d at it is cosh(d · growth). */
export function growth(eigenvalue: number, edge: number): number {
  return Math.acosh(Math.max(1, (2 * eigenvalue) / edge - 1));
}

/** T_degree(B) of the rows of Y. */
export async function filtered(
  Y: Matrix<Float32Array>,
  {B, edge, degree}: Filter,
  products: Products,
): Promise<Matrix<Float32Array>> {
  const A = {...B, values: mapped(B, edge)};
  let previous = Y;
  const first = await products.times(Y, A);
  let current = {...first, values: scaledSingle(first.values, 1 / 2)};
  for (let k = 1; k < degree; k++) [previous, current] = [current, await products.timesMinus(current, A, previous)];
  return current;
}

/** Approximate eigenvectors of B as rows, with their values, all above the edge, the largest first; `left` = vectors · B - values · vectors. */
export interface Eigenvectors {
  vectors: Matrix<Float64Array>;
  values: Float64Array;
  left: Matrix<Float64Array>;
}

/** By how much rounding towards the largest of the vectors may grow before it is taken away. */
const mostNoise = 1e4;

/**
 * What a filter makes of approximate eigenvectors beyond their own span: T_degree(B) X / T_degree(value) - X. It follows from what is left of
 * them by the same recurrence, and is as small: float32 is enough for it.
 */
export async function filterCorrection(
  {vectors, values: eigenvalues, left: R}: Eigenvectors,
  {B, edge, degree: wanted}: Filter,
  products: Products,
): Promise<Matrix<Float64Array>> {
  const A = {...B, values: mapped(B, edge)};
  const X = single(vectors);
  const left = scaledSingle(R.values, 4 / edge);
  const at = eigenvalues.map(value => Math.max(1, (2 * value) / edge - 1));
  const spread = growth(eigenvalues[0]!, edge) - growth(eigenvalues.at(-1)!, edge);
  const every = Math.max(1, Math.floor(Math.log(mostNoise) / Math.max(spread, 1e-9)));
  const outside = async (rows: Matrix<Float32Array>): Promise<Matrix<Float32Array>> => {
    const negative = await products.timesMinus(await products.timesTransposed(rows, X), X, rows);
    return {...rows, values: scaledSingle(negative.values, -1)};
  };
  // T_k / T_(k - 1) at each value.
  let ratios = at;
  let previous: Matrix<Float32Array> = {...R, values: new Float32Array(left.length)};
  let current: Matrix<Float32Array> = {...R, values: left.map((value, k) => value / 2 / at[Math.floor(k / R.cols)]!)};
  for (let degree = 1; degree < wanted; degree++) {
    const next = ratios.map((ratio, row) => 2 * at[row]! - 1 / ratio);
    const image = await products.times(current, A);
    const {values} = image;
    for (let row = 0, k = 0; row < R.rows; row++) {
      const factor = 1 / next[row]!;
      const before = factor / ratios[row]!;
      for (; k < (row + 1) * R.cols; k++) values[k] = factor * (values[k]! + left[k]!) - before * previous.values[k]!;
    }
    [previous, current, ratios] = [current, image, next];
    if (degree % every === 0) [previous, current] = [await outside(previous), await outside(current)];
  }
  return double(current);
}

/** A polynomial of B. */
export interface Filter {
  B: Matrix<Float32Array>;
  edge: number;
  degree: number;
}

/** Twice B mapped from [0, edge] to [-1, 1]. */
function mapped({values, rows: n}: Matrix<Float32Array>, edge: number): Float32Array {
  const result = scaledSingle(values, 4 / edge);
  for (let i = 0; i < n; i++) result[i * n + i]! -= 2;
  return result;
}

function scaledSingle(values: Numbers, factor: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = factor * values[i]!;
  return result;
}
