/**
 * A product and a training step in plain float64, each number with how far float32 may be from it: running error analysis (Higham 2002,
 * Accuracy and Stability of Numerical Algorithms, §3.1 and §3.3), for any order of summation.
 */

export interface Bounded {
  value: number;
  /** The largest distance that rounding to float32 explains. */
  bound: number;
}

/** Rows of numbers. */
export type Matrix = Bounded[][];

/** Of float32. */
const unit = 2 ** -24;
/** Roundings beside those of a sum's own terms: a factor on either side, a product that is added to another. */
const further = 8;

/** γₖ = k·u / (1 - k·u) */
const gamma = (count: number): number => (count * unit) / (1 - count * unit);

/** Numbers that float32 has, without error. */
export function exact(values: Float32Array, columns: number): Matrix {
  const row = (k: number) => Array.from(values.subarray(k * columns, (k + 1) * columns), value => ({value, bound: 0}));
  return Array.from({length: values.length / columns}, (_, k) => row(k));
}

const transposed = (a: Matrix): Matrix => a[0]!.map((_, k) => a.map(row => row[k]!));

/** Σ aₖ·bₖ */
function dot(a: readonly Bounded[], b: readonly Bounded[]): Bounded {
  let [value, carried, magnitude] = [0, 0, 0];
  a.forEach((left, k) => {
    const right = b[k]!;
    value += left.value * right.value;
    carried += Math.abs(left.value) * right.bound + left.bound * (Math.abs(right.value) + right.bound);
    magnitude += (Math.abs(left.value) + left.bound) * (Math.abs(right.value) + right.bound);
  });
  return {value, bound: carried + gamma(a.length + further) * magnitude};
}

/** a · bᵀ: [m, k] x [n, k] → [m, n]. */
export const productOf = (a: Matrix, b: Matrix): Matrix => a.map(row => b.map(column => dot(row, column)));

/** a + factor · b */
function plus(a: Bounded, b: Bounded, factor: number): Bounded {
  const carried = a.bound + Math.abs(factor) * b.bound;
  const magnitude = Math.abs(a.value) + Math.abs(factor * b.value) + carried;
  return {value: a.value + factor * b.value, bound: carried + gamma(2) * magnitude};
}

const sumOf = (terms: readonly Bounded[]): Bounded =>
  dot(
    terms,
    terms.map(() => ({value: 1, bound: 0})),
  );

const addedTo = (a: Matrix, b: Matrix, factor: number): Matrix =>
  a.map((row, i) => row.map((value, k) => plus(value, b[i]![k]!, factor)));

/** e^x: as far off as the specification of WGSL allows (§15.7.4, 3 + 2·|x| units in the last place), which CPUs stay below. */
function exponential({value, bound}: Bounded): Bounded {
  const result = Math.exp(value);
  return {value: result, bound: result * (Math.expm1(bound) + (3 + 2 * Math.abs(value)) * 2 * unit * Math.exp(bound))};
}

/** a / b, to 2.5 units in the last place (the same specification). */
function quotient(a: Bounded, b: Bounded): Bounded {
  const value = a.value / b.value;
  const smallest = Math.abs(b.value) - b.bound;
  const carried = (a.bound + Math.abs(value) * b.bound) / smallest;
  return {value, bound: carried + 5 * unit * (Math.abs(value) + carried)};
}

/** log x of a number above 0: 3 units in the last place, between 0.5 and 2 an absolute 2⁻²¹ (the same specification). */
function logarithm({value, bound}: Bounded): Bounded {
  const result = Math.log(value);
  return {value: result, bound: -Math.log1p(-bound / value) + 6 * unit * Math.abs(result) + 2 ** -21};
}

export interface Step {
  /** [rows, in] */
  x: Matrix;
  /** [out, in], frozen */
  W: Matrix;
  /** [rank, in] and [out, rank], trained */
  A: Matrix;
  B: Matrix;
  /** [vocabulary, out], frozen */
  E: Matrix;
  /** [rows] */
  targets: readonly number[];
  /** A power of two, which rounds nothing. */
  scale: number;
  rate: number;
}

/** -log softmax(h · Eᵀ)[target] of each row, and its gradient for the logits. */
function lossOf(logits: Matrix, targets: readonly number[]): {losses: Bounded[]; gradients: Matrix} {
  const rows = logits.map((row, i) => {
    const largest = row.reduce((most, logit) => (logit.value > most.value ? logit : most));
    const shifted = row.map(logit => plus(logit, largest, -1));
    const powers = shifted.map(exponential);
    const sum = sumOf(powers);
    const target = targets[i]!;
    const loss = plus(logarithm(sum), shifted[target]!, -1);
    const gradient = powers.map((power, k) => plus(quotient(power, sum), {value: k === target ? 1 : 0, bound: 0}, -1));
    return {loss, gradient};
  });
  return {losses: rows.map(({loss}) => loss), gradients: rows.map(({gradient}) => gradient)};
}

/** A step of plain gradient descent on A and B, for y = x · (W + s·B·A)ᵀ and the sum of the rows' cross-entropies with y · Eᵀ. */
export function stepOf({x, W, A, B, E, targets, scale, rate}: Step): {loss: Bounded; A: Matrix; B: Matrix} {
  const low = productOf(x, A);
  const y = addedTo(productOf(x, W), productOf(low, B), scale);
  const {losses, gradients} = lossOf(productOf(y, E), targets);
  const forY = productOf(gradients, transposed(E));
  const forB = productOf(transposed(forY), transposed(low));
  const forA = productOf(transposed(productOf(forY, transposed(B))), transposed(x));
  return {
    loss: sumOf(losses),
    A: addedTo(A, forA, -rate * scale),
    B: addedTo(B, forB, -rate * scale),
  };
}

/** The largest distance of any number found, as a share of its bound; NaN where one is no number. */
export function distanceFrom(expected: Matrix, found: ArrayLike<number>): number {
  const flat = expected.flat();
  if (found.length !== flat.length) return Number.NaN;
  return Math.max(...flat.map(({value, bound}, k) => Math.abs(found[k]! - value) / bound));
}
