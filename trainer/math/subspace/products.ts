/** Matrices as the subspace iteration has them, and the products that it is made of, which an engine computes. */

export type Numbers = Float32Array | Float64Array;

/** Row-major. */
export interface Matrix<Values extends Numbers> {
  values: Values;
  rows: number;
  cols: number;
}

/** Products in the precision of their operands. */
export interface Products {
  /** A · B */
  times<Values extends Numbers>(A: Matrix<Values>, B: Matrix<Values>): Promise<Matrix<Values>>;
  /** A · Bᵀ */
  timesTransposed<Values extends Numbers>(A: Matrix<Values>, B: Matrix<Values>): Promise<Matrix<Values>>;
  /** A · B - C */
  timesMinus<Values extends Numbers>(A: Matrix<Values>, B: Matrix<Values>, C: Matrix<Values>): Promise<Matrix<Values>>;
}

export const single = ({values, rows, cols}: Matrix<Numbers>): Matrix<Float32Array> => ({
  values: Float32Array.from(values),
  rows,
  cols,
});

export const double = ({values, rows, cols}: Matrix<Numbers>): Matrix<Float64Array> => ({
  values: Float64Array.from(values),
  rows,
  cols,
});

/** Rows `from` .. `to` - 1, in the same memory. */
export function rowsOf<Values extends Numbers>({values, cols}: Matrix<Values>, from: number, to: number) {
  return {values: values.subarray(from * cols, to * cols) as Values, rows: to - from, cols};
}

export function transposed({values, rows, cols}: Matrix<Float64Array>): Matrix<Float64Array> {
  const turned = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) turned[j * rows + i] = values[i * cols + j]!;
  return {values: turned, rows: cols, cols: rows};
}

/** Rows of a Gram matrix that one product makes: only as far as the diagonal of its last row is needed. */
const gramRows = 256;

/** M Mᵀ [rows, rows]. */
export async function gramOf<Values extends Numbers>(M: Matrix<Values>, products: Products): Promise<Matrix<Values>> {
  const n = M.rows;
  const values = (M.values instanceof Float32Array ? new Float32Array(n * n) : new Float64Array(n * n)) as Values;
  for (let from = 0; from < n; from += gramRows) {
    const to = Math.min(n, from + gramRows);
    const part = await products.timesTransposed(rowsOf(M, from, to), rowsOf(M, 0, to));
    for (let i = from; i < to; i++) {
      for (let j = 0; j <= i; j++) values[i * n + j] = values[j * n + i] = part.values[(i - from) * to + j]!;
    }
  }
  return {values, rows: n, cols: n};
}
