/** Where the eigenvalues of a symmetric matrix lie, roughly: what a filter is laid out by. */
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
    for (const [run, one] of runs.entries()) one.take(i => images.values[i * probes + run]!);
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

/** One three-term recurrence; lost orthogonality only makes two nodes of one. */
class LanczosRun {
  vector: Float64Array;
  #previous: Float64Array;
  readonly #diagonal: number[] = [];
  readonly #offDiagonal: number[] = [0];

  constructor(start: Float64Array) {
    const norm = Math.hypot(...start);
    this.vector = start.map(value => value / norm);
    this.#previous = new Float64Array(start.length);
  }

  /** @param image the matrix times `vector`, by place */
  take(image: (i: number) => number): void {
    const {vector} = this;
    const beta = this.#offDiagonal.at(-1)!;
    const next = new Float64Array(vector.length);
    let alpha = 0;
    for (let i = 0; i < next.length; i++) {
      next[i] = image(i) - beta * this.#previous[i]!;
      alpha += next[i]! * vector[i]!;
    }
    let square = 0;
    for (let i = 0; i < next.length; i++) {
      next[i]! -= alpha * vector[i]!;
      square += next[i]! ** 2;
    }
    const norm = Math.sqrt(square);
    this.#diagonal.push(alpha);
    this.#offDiagonal.push(norm);
    this.#previous = vector;
    if (norm > 0) this.vector = next.map(value => value / norm);
    else this.vector = next;
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
