/** Chebyshev polynomials of a symmetric matrix B, large above an edge and within ±1 between 0 and the edge. */
import type {Matrix, Numbers, Products} from './products.ts';

/** How much of one degree an eigenvalue is worth: T_d at it is cosh(d · growth). */
export function growth(eigenvalue: number, edge: number): number {
  return Math.acosh(Math.max(1, (2 * eigenvalue) / edge - 1));
}

/** T_degree(B) of the rows of Y, in its precision. */
export async function filtered<Values extends Numbers>(
  Y: Matrix<Values>,
  {B, edge, degree}: Filter<Values>,
  products: Products,
): Promise<Matrix<Values>> {
  const {values, rows: n, cols} = B;
  // Twice B mapped from [0, edge] to [-1, 1].
  const mapped = scaled(values, 4 / edge);
  for (let i = 0; i < n; i++) mapped[i * n + i]! -= 2;
  const A = {values: mapped, rows: n, cols};
  let previous = Y;
  const first = await products.times(Y, A);
  let current = {...first, values: scaled(first.values, 1 / 2)};
  for (let k = 1; k < degree; k++) [previous, current] = [current, await products.timesMinus(current, A, previous)];
  return current;
}

/** A polynomial of B. */
export interface Filter<Values extends Numbers> {
  B: Matrix<Values>;
  edge: number;
  degree: number;
}

function scaled<Values extends Numbers>(values: Values, factor: number): Values {
  return (values instanceof Float32Array ? scaledSingle(values, factor) : scaledDouble(values, factor)) as Values;
}

function scaledSingle(values: Float32Array, factor: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = factor * values[i]!;
  return result;
}

function scaledDouble(values: Float64Array, factor: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = factor * values[i]!;
  return result;
}
