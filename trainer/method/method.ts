/** What a LoRA variant is: which tensors it trains at a projection, how they start, and how they enter it. */
import {matMul, type Tensor} from '@tensorflow/tfjs-core';
import type {Matrix, MethodDescription, Shapes} from '../../core/method/method.ts';
import type {Macros} from '../engine/macros/macros.ts';
import type {Components} from '../math/incremental-components.ts';
import type {Random} from '../math/random.ts';
import type {Triplets} from '../math/triplets.ts';
import type {Site} from '../model/site.ts';
import type {Form, Parts} from './form.ts';
import type {PeftFormat} from './peft-format.ts';

/** The tensors of one site, each [trials, ...shape]. */
export interface SiteTensors {
  own: Record<string, Tensor>;
  /** The start that a residual method takes out of the base, shaped as `own`. */
  start?: Record<string, Tensor>;
  /** What all sites share and nobody trains. */
  shared: Record<string, Tensor>;
}

export interface InitContext {
  site: Site;
  form: Form;
  /** Draws of this trial and site. */
  random: Random;
  /** Parts that an adapter folder brought, where some are still missing. */
  given?: Parts;
  /** W of the site, [outputs, inputs] row-major. */
  weight(): Float32Array;
  /** The weight's singular triplets from one end of its spectrum, `rank` of them, in falling order. */
  triplets(end: 'top' | 'bottom'): Promise<Triplets>;
  /** The same of a matrix shaped as the weight. */
  tripletsFrom(matrix: Float32Array, end: 'top' | 'bottom'): Promise<Triplets>;
  /** The first principal components of what the site reads, over the rows that it starts from, and how many of them it keeps. */
  components(): Promise<Pick<Components, 'rows' | 'values'> & {kept: number}>;
  /** The covariance of what the site reads, [inputs, inputs], over the rows that it starts from. */
  covariance(): Promise<Float64Array>;
  /** The largest `count` singular triplets of the loss's gradient in W, over the rows that it starts from. */
  gradientTriplets(count: number): Promise<Triplets>;
}

/** What a variant computes. What it trains, and on which matrices, its description says (core/method). */
export interface Computation {
  /** The frozen tensors that all sites share; those that are trained are the description's `common`. */
  shared?(sites: readonly Matrix[], form: Form): Shapes;
  /** Their values; `seed` is the trial's. */
  draw?(shapes: Shapes, form: Form, seed: number): Parts;
  init(context: InitContext): Promise<Parts>;
  /** The adapted projection of x [trials, rows, inputs] → [trials, rows, outputs]. */
  apply(macros: Macros, x: Tensor, W: Tensor, tensors: SiteTensors, form: Form): Tensor;
  /** Pairs that a site has room for, where some may be zero from the start to the end: adapters are written without these. */
  places?(form: Form): number;
  /** How PEFT spells its adapters; absent = they are LoRA's. */
  peft?: PeftFormat;
}

/** A variant: its description and what it computes. */
export interface Method
  extends Computation,
    Pick<
      MethodDescription,
      | 'residual'
      | 'spectrum'
      | 'gradient'
      | 'readings'
      | 'allocates'
      | 'alternates'
      | 'kept'
      | 'common'
      | 'work'
      | 'frozen'
      | 'shapes'
      | 'obstacle'
    > {}

/** x · (W + s·B·A)ᵀ, from the residual base where the method takes its start out. */
export const lowRank: Computation['apply'] = (macros, x, W, tensors, {scale}) =>
  macros.lowRank(x, W, pairOf(tensors), scale);

/** x [trials, rows, inputs] · Wᵀ for trials that each have a weight of their own, [trials, outputs, inputs]. */
export const whole = (x: Tensor, W: Tensor): Tensor => matMul(x, W, false, true);

/** A and B as the macros take them. */
export function pairOf({own, start}: SiteTensors) {
  return {A: own['A']!, B: own['B']!, ...(start ? {start: {A: start['A']!, B: start['B']!}} : {})};
}

/** Factors √(S/s)·Vᵀ and U·√(S/s), so that s·B·A = U·S·Vᵀ. */
export function balanced({U, S, V}: Triplets, {site, form: {rank, scale}}: InitContext): Parts {
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
