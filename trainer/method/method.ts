/** What a LoRA variant is: which tensors it trains at a projection, how they start, and how they enter it. */
import type {Tensor} from '@tensorflow/tfjs-core';
import type {Macros} from '../engine/macros.ts';
import type {Random} from '../math/random.ts';
import type {Triplets} from '../math/svd.ts';

/** One adapted projection: W is [outputs, inputs]. */
export interface Site {
  /** E.g. `model.layers.0.self_attn.q_proj`. */
  name: string;
  inputs: number;
  outputs: number;
}

type Matrix = Pick<Site, 'inputs' | 'outputs'>;

/** What the trials of a pack have in common beyond their method: its size, its strength, and keys of its own. */
export interface Form {
  rank: number;
  /** s = alpha / rank */
  scale: number;
  /** By their names in the sweep file, such as `block_size`. */
  options: Readonly<Record<string, number>>;
  /** Which of several published forms of the method. */
  variant?: string;
}

/** Shapes by name, in the order in which the tensors lie in a vector. */
export type Shapes = Readonly<Record<string, number[]>>;

/** Values by name, row-major. */
export type Parts = Readonly<Record<string, Float32Array>>;

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
  /** The largest `count` singular triplets of the loss's gradient in W, over the rows that it starts from. */
  gradientTriplets(count: number): Promise<Triplets>;
}

export interface Obstacle {
  /** Of the error. */
  code: 'rank-too-large' | 'bad-blocks';
  /** The end of a sentence that begins with the site. */
  why: string;
}

export interface Method {
  /** Whether the base loses s·B₀·A₀, so that the network starts unchanged. */
  residual: boolean;
  /** Singular triplets of the weight that the start is made of. */
  spectrum?: 'top' | 'bottom';
  /** Whether the start is made of gradients of the base's weights. */
  gradient?: true;
  /** The tensors trained at a site. */
  trained(site: Matrix, form: Form): Shapes;
  /** The frozen tensors that all sites share. */
  shared?(sites: readonly Matrix[], form: Form): Shapes;
  /** Their values; `seed` is the trial's. */
  draw?(shapes: Shapes, form: Form, seed: number): Parts;
  /** What keeps a site of this size from being adapted; undefined where nothing does. */
  obstacle(site: Matrix, form: Form): Obstacle | undefined;
  init(context: InitContext): Promise<Parts>;
  /** The adapted projection of x [trials, rows, inputs] → [trials, rows, outputs]. */
  apply(macros: Macros, x: Tensor, W: Tensor, tensors: SiteTensors, form: Form): Tensor;
}

/** The parts of the low-rank methods: A [rank, inputs], B [outputs, rank]. */
export const pairShapes: Method['trained'] = ({inputs, outputs}, {rank}) => ({A: [rank, inputs], B: [outputs, rank]});

/** No more than min(inputs, outputs) directions can be told apart. */
export const rankFits: Method['obstacle'] = ({inputs, outputs}, {rank}) => {
  const most = Math.min(inputs, outputs);
  if (rank <= most) return undefined;
  return {code: 'rank-too-large', why: `is smaller than rank ${rank} allows; use a rank of at most ${most}`};
};

/** x · (W + s·B·A)ᵀ, from the residual base where the method takes its start out. */
export const lowRank: Method['apply'] = (macros, x, W, tensors, {scale}) =>
  macros.lowRank(x, W, pairOf(tensors), scale);

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
