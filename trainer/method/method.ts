/** What a LoRA variant is: how its factors start, and how they enter a projection. */
import type {Tensor} from '@tensorflow/tfjs-core';
import type {Factors, Macros} from '../engine/macros.ts';
import type {Random} from '../math/random.ts';
import type {Triplets} from '../math/svd.ts';

/** One adapted projection: W is [outputs, inputs]. */
export interface Site {
  /** E.g. `model.layers.0.self_attn.q_proj`. */
  name: string;
  inputs: number;
  outputs: number;
}

/** The starting factors of one site: A [rank, inputs], B [outputs, rank], row-major. */
export interface Start {
  A: Float32Array;
  B: Float32Array;
}

export interface InitContext {
  site: Site;
  rank: number;
  /** s = alpha / rank */
  scale: number;
  /** Draws of this trial and site. */
  random: Random;
  /** W of the site, [outputs, inputs] row-major. */
  weight(): Float32Array;
  /** The site's singular triplets from one end of its spectrum, `rank` of them, in falling order. */
  triplets(end: 'top' | 'bottom'): Promise<Triplets>;
}

export interface Method {
  /** Whether the base loses s·B₀·A₀, so that the network starts unchanged. */
  residual: boolean;
  /** Whether a magnitude per output row is trained beside A and B. */
  magnitude: boolean;
  /** Singular triplets the start is made of. */
  spectrum?: 'top' | 'bottom';
  init(context: InitContext): Promise<Start>;
  /** The adapted projection of x [trials, rows, inputs] → [trials, rows, outputs]. */
  apply(macros: Macros, x: Tensor, W: Tensor, factors: Factors & {magnitude?: Tensor}, scale: number): Tensor;
}

/** x · (W + s·B·A)ᵀ, from the residual base where the method takes its start out. */
export const lowRank: Method['apply'] = (macros, x, W, factors, scale) => macros.lowRank(x, W, factors, scale);

/** Factors √(S/s)·Vᵀ and U·√(S/s), so that s·B·A = U·S·Vᵀ. */
export function balanced({U, S, V}: Triplets, {site, rank, scale}: InitContext): Start {
  const A = new Float32Array(rank * site.inputs);
  const B = new Float32Array(site.outputs * rank);
  for (let i = 0; i < rank; i++) {
    const root = Math.sqrt(S[i]! / scale);
    for (let column = 0; column < site.inputs; column++)
      A[i * site.inputs + column] = root * V[i * site.inputs + column]!;
    for (let row = 0; row < site.outputs; row++) B[row * rank + i] = root * U[row * rank + i]!;
  }
  return {A, B};
}

/** Uniform in ±1/√inputs, as PyTorch's Kaiming-uniform with a = √5. */
export function uniform(count: number, {site, random}: InitContext): Float32Array {
  const bound = 1 / Math.sqrt(site.inputs);
  return random.uniform(count, -bound, bound);
}
