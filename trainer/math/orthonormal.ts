/** Orthonormal rows of float64 matrices: Gram and Schmidt's process, and complements by Householder reflections. */
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
    let before = 0;
    for (; before + 4 <= index; before += 4) takeFourAway(rows, start, before * length, length);
    for (; before < index; before++) reflect(rows, start, rows, before * length, length, 1);
    const left = normalise(rows, start, length);
    // When more than half was taken away, rounding left a part of it behind: go over it again (Kahan's "twice is enough").
    if (left > 0.5) return;
    if (left < 1e-12 || attempt > 5) {
      rows.set(numbers.normal(length), start);
      normalise(rows, start, length);
    }
  }
}

/** Takes off a row what it has of the four orthonormal rows from `before` on, in two passes over it instead of eight. */
function takeFourAway(rows: Float64Array, start: number, before: number, length: number): void {
  const second = before + length;
  const third = second + length;
  const fourth = third + length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0; k < length; k++) {
    const value = rows[start + k]!;
    a += value * rows[before + k]!;
    b += value * rows[second + k]!;
    c += value * rows[third + k]!;
    d += value * rows[fourth + k]!;
  }
  for (let k = 0; k < length; k++) {
    rows[start + k]! -= a * rows[before + k]! + b * rows[second + k]! + (c * rows[third + k]! + d * rows[fourth + k]!);
  }
}

/** Makes all rows [count, length] orthonormal, in order. */
export function makeAllOrthonormal(rows: Float64Array, count: number, length: number, numbers: Random): void {
  for (let index = 0; index < count; index++) makeOrthonormal(rows, index, length, numbers);
}

/** Orthonormal rows [n - count, n] orthogonal to all of the orthonormal `rows` [count, n]. */
export function complementOf(rows: Float64Array, count: number, n: number): Float64Array {
  // Reflections H_0 .. H_{count-1} that turn row i into the unit vector i; each is I - scale v v^T, v in `mirrors`.
  const mirrors = rows.slice(0, count * n);
  const scales = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * n + i;
    const size = n - i;
    const head = mirrors[start]!;
    const norm = Math.sqrt(dot(mirrors, start, mirrors, start, size));
    mirrors[start] = head + (head >= 0 ? norm : -norm);
    scales[i] = 1 / (norm * (norm + Math.abs(head)));
    for (let j = i + 1; j < count; j++) reflect(mirrors, j * n + i, mirrors, start, size, scales[i]!);
  }
  const complement = new Float64Array((n - count) * n);
  for (let j = 0; j < n - count; j++) {
    complement[j * n + count + j] = 1;
    for (let i = count - 1; i >= 0; i--) reflect(complement, j * n + i, mirrors, i * n + i, n - i, scales[i]!);
  }
  return complement;
}

/** x -= scale v (v . x) for parts of two matrices. */
export function reflect(
  x: Float64Array,
  xStart: number,
  v: Float64Array,
  vStart: number,
  size: number,
  scale: number,
): void {
  const factor = scale * dot(x, xStart, v, vStart, size);
  for (let k = 0; k < size; k++) x[xStart + k]! -= factor * v[vStart + k]!;
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
