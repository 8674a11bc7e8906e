/** Where the eigenvalues of a symmetric matrix lie, roughly: what a filter is laid out by. */
import {dot} from '../dense.ts';
import {spectrum} from '../eigen.ts';
import {random} from '../random.ts';
import type {Matrix, Products} from './products.ts';

export interface Quantiles {
  /** The eigenvalue above which this share of all of them lies. */
  above(share: number): number;
  largest: number;
}

/** Vectors that are drawn, and steps from each. */
const [probes, steps] = [12, 32];

/**
 * Stochastic Lanczos quadrature (Golub and Meurant 1994; Lin, Saad and Yang 2016): the Ritz values of short Lanczos runs
 * from random vectors, weighted by the squares of their first components, stand for the distribution of the eigenvalues.
 */
export async function quantilesOf(A: Matrix<Float32Array>, products: Products): Promise<Quantiles> {
  const n = A.rows;
  const runs = Array.from({length: probes}, (_, run) => new LanczosRun(random('quantiles', n, run).normal(n)));
  for (let step = 0; step < steps; step++) {
    const starts = new Float32Array(probes * n);
    for (const [run, {vector}] of runs.entries()) starts.set(vector, run * n);
    const images = await products.timesTransposed(A, {values: starts, rows: probes, cols: n});
    for (const [run, one] of runs.entries()) one.take(images, run);
  }
  const nodes = runs.flatMap(run => run.nodes()).sort((a, b) => b.value - a.value);
  return {
    largest: nodes[0]!.value,
    above(share) {
      let sum = 0;
      let [before, at] = [0, nodes[0]!.value];
      for (const {value, weight} of nodes) {
        const middle = sum + weight / 2;
        if (middle >= share) {
          const part = middle === before ? 1 : (share - before) / (middle - before);
          return at + part * (value - at);
        }
        sum += weight;
        [before, at] = [middle, value];
      }
      return at;
    },
  };
}

function divided(values: Float64Array, by: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i]! / by;
  return result;
}

/** One three-term recurrence; lost orthogonality only makes two nodes of one. */
class LanczosRun {
  vector: Float64Array;
  #previous: Float64Array;
  readonly #diagonal: number[] = [];
  readonly #offDiagonal: number[] = [0];

  constructor(start: Float64Array) {
    this.vector = divided(start, Math.sqrt(dot(start, 0, start, 0, start.length)));
    this.#previous = new Float64Array(start.length);
  }

  /** @param images the matrix times the vectors of all runs, as columns; this run's is number `run` */
  take({values, cols}: Matrix<Float32Array>, run: number): void {
    const {vector} = this;
    const before = this.#previous;
    const n = vector.length;
    const beta = this.#offDiagonal.at(-1)!;
    const next = new Float64Array(n);
    for (let i = 0, at = run; i < n; i++, at += cols) next[i] = values[at]! - beta * before[i]!;
    const alpha = dot(next, 0, vector, 0, n);
    for (let i = 0; i < n; i++) next[i]! -= alpha * vector[i]!;
    const norm = Math.sqrt(dot(next, 0, next, 0, n));
    this.#diagonal.push(alpha);
    this.#offDiagonal.push(norm);
    this.#previous = vector;
    this.vector = norm > 0 ? divided(next, norm) : next;
  }

  nodes(): {value: number; weight: number}[] {
    const n = this.#diagonal.length;
    const T = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      T[i * n + i] = this.#diagonal[i]!;
      if (i > 0) T[i * n + i - 1] = this.#offDiagonal[i]!;
    }
    const {values, vectors} = spectrum(T, n);
    const rows = vectors(0, n);
    return Array.from(values, (value, k) => ({value, weight: rows[k * n]! ** 2 / probes}));
  }
}
