/** Gram and Schmidt on the rows of a float64 matrix. */
import {dot} from './dense.ts';
import type {Random} from './random.ts';

/**
 * Makes row `index` of length `length` orthogonal to the `index` orthonormal rows before it and gives it length 1, in
 * place. A row that depends on them is replaced by a random direction.
 */
export function makeOrthonormal(rows: Float64Array, index: number, length: number, numbers: Random): void {
  const start = index * length;
  normalise(rows, start, length);
  for (let attempt = 0; ; attempt++) {
    for (let before = 0; before < index * length; before += length) {
      const overlap = dot(rows, start, rows, before, length);
      for (let k = 0; k < length; k++) rows[start + k]! -= overlap * rows[before + k]!;
    }
    const left = normalise(rows, start, length);
    // When more than half was taken away, rounding left a part of it behind: go over it again (Kahan's "twice is enough").
    if (left > 0.5) return;
    if (left < 1e-12 || attempt > 5) {
      rows.set(numbers.normal(length), start);
      normalise(rows, start, length);
    }
  }
}

/** Scales a row to length 1 and returns the length it had; a row of zeros stays. Safe against overflow. */
function normalise(rows: Float64Array, start: number, length: number): number {
  let largest = 0;
  for (let k = start; k < start + length; k++) largest = Math.max(largest, Math.abs(rows[k]!));
  if (largest === 0) return 0;
  let sum = 0;
  for (let k = start; k < start + length; k++) sum += (rows[k]! / largest) ** 2;
  const norm = largest * Math.sqrt(sum);
  for (let k = start; k < start + length; k++) rows[k] = rows[k]! / largest / (norm / largest);
  return norm;
}
