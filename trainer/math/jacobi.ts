/** The last step of a singular value decomposition: nearly orthogonal rows are made exactly so. */
import {SweepError} from '../../core/error.ts';
import {dot} from './dense.ts';
import {makeOrthonormal} from './orthonormal.ts';
import {random} from './random.ts';

/** Rows whose cosine is below this count as orthogonal; a singular value is then right to the square of it. */
const orthogonal = 1e-11;
/** One or two are usual, ten are many. */
const sweeps = 60;

/**
 * One-sided Jacobi rotations (Hestenes 1958) make the rows of Y [count, length] orthogonal; the same rotations go into
 * the companion rows X [count, width], so that X^T Y stays what it is. Then the rows of Y are scaled to length 1 and
 * both are put into descending order of the lengths, which are returned. Lengths up to `floor` become 0, and their
 * rows any orthonormal ones.
 */
export function diagonalise(
  Y: Float64Array,
  X: Float64Array,
  count: number,
  length: number,
  width: number,
  floor: number,
): Float64Array {
  const squares = new Float64Array(count);
  const negligible = floor * floor;
  let rotated = true;
  for (let sweep = 0; rotated && sweep < sweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < count; p++) squares[p] = dot(Y, p * length, Y, p * length, length);
    for (let p = 0; p < count - 1; p++) {
      for (let q = p + 1; q < count; q++) {
        const a = squares[p]!;
        const b = squares[q]!;
        if (a <= negligible || b <= negligible) continue;
        const overlap = dot(Y, p * length, Y, q * length, length);
        if (Math.abs(overlap) <= orthogonal * Math.sqrt(a) * Math.sqrt(b)) continue;
        rotated = true;
        const ratio = (b - a) / (2 * overlap);
        const tangent = (ratio >= 0 ? 1 : -1) / (Math.abs(ratio) + Math.sqrt(1 + ratio * ratio));
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(Y, p * length, q * length, length, cosine, cosine * tangent);
        rotate(X, p * width, q * width, width, cosine, cosine * tangent);
        squares[p] = a - tangent * overlap;
        squares[q] = b + tangent * overlap;
      }
    }
  }
  if (rotated) {
    throw new SweepError(
      'svd-failed',
      "The singular vectors of a weight matrix could not be made orthogonal; check the model's files and report the matrix.",
      {count, length},
    );
  }
  const lengths = squares.map(square => (square <= negligible ? 0 : Math.sqrt(square)));
  const order = Array.from(lengths.keys()).sort((p, q) => lengths[q]! - lengths[p]! || p - q);
  reorder(Y, order, length);
  reorder(X, order, width);
  const S = Float64Array.from(order, p => lengths[p]!);
  const numbers = random('null space', length);
  for (let p = 0; p < count; p++) {
    if (S[p] === 0) makeOrthonormal(Y, p, length, numbers);
    else for (let k = p * length; k < (p + 1) * length; k++) Y[k]! /= S[p]!;
  }
  return S;
}

function rotate(M: Float64Array, p: number, q: number, length: number, cosine: number, sine: number): void {
  for (let k = 0; k < length; k++) {
    const first = M[p + k]!;
    const second = M[q + k]!;
    M[p + k] = cosine * first - sine * second;
    M[q + k] = sine * first + cosine * second;
  }
}

function reorder(M: Float64Array, order: number[], length: number): void {
  const old = M.slice();
  order.forEach((from, to) => {
    M.set(old.subarray(from * length, (from + 1) * length), to * length);
  });
}
