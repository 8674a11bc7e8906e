import * as tf from '@tensorflow/tfjs-core';
import {product} from '../../core/numbers.ts';
import {type Random, random} from '../math/random.ts';
import type {Computation} from './method.ts';
import {lengths} from './peft-format.ts';

const basesOf = (short: number, rank: number): number => Math.ceil(short / rank);

/**
 * RandLoRA (Albert et al. 2025): an update of full rank from N = ⌈p/rank⌉ frozen random bases, p the smaller and q the
 * larger side of W, scaled by trained λ [rank, N] and γ [N, p]. The bases B [q, N, rank] and A [rank, 1, p] are cut from
 * ones that all sites share. As in PEFT, whose adapters are to mean the same here, B is flattened as (base, rank) and
 * λ·A·γ as (rank, base): this is not the paper's Σ_j B_j diag(λ_j) A diag(γ_j), which pairs them base by base.
 */
export const randlora: Computation = {
  shared(sites, {rank}) {
    const inputs = Math.max(...sites.map(site => site.inputs));
    const outputs = Math.max(...sites.map(site => site.outputs));
    const short = Math.min(inputs, outputs);
    return {A: [rank, 1, short], B: [Math.max(inputs, outputs), basesOf(short, rank), rank]};
  },
  draw(shapes, {options}, seed) {
    const drawn = Object.entries(shapes).map(([part, shape]) => [
      part,
      ofUnitDeviation(random(options['seed'] ?? seed, 'randlora', part), shape),
    ]);
    return Object.fromEntries(drawn);
  },
  async init({site: {inputs, outputs}, form: {rank}}) {
    const short = Math.min(inputs, outputs);
    const bases = basesOf(short, rank);
    return {
      lambda: new Float32Array(rank * bases),
      gamma: new Float32Array(bases * short).fill(1 / Math.max(bases, short)),
    };
  },
  apply(macros, x, W, {own, shared}, {rank, scale}) {
    const [outputs, inputs] = W.shape as [number, number];
    const [short, long] = [Math.min(inputs, outputs), Math.max(inputs, outputs)];
    const bases = basesOf(short, rank);
    const trials = x.shape[0]!;
    const flat = bases * rank;
    const A = tf.slice(shared['A']!, [0, 0, 0, 0], [trials, rank, 1, short]);
    const scaled = tf.mul(tf.mul(tf.expandDims(own['lambda']!, 3), A), tf.expandDims(own['gamma']!, 1));
    const narrow = tf.reshape(scaled, [trials, flat, short]);
    const wide = tf.reshape(tf.slice(shared['B']!, [0, 0, 0, 0], [trials, long, bases, rank]), [trials, long, flat]);
    // The update is wide · narrow where the inputs are the smaller side, and its transpose where they are the larger.
    const y = macros.linear(x, W);
    const update =
      inputs === short
        ? tf.matMul(tf.matMul(x, narrow, false, true), wide, false, true)
        : tf.matMul(tf.matMul(x, wide), narrow);
    return tf.add(y, tf.mul(update, scale));
  },
  peft: {
    peftType: 'RANDLORA',
    names: {lambda: 'randlora_lambda', gamma: 'randlora_gamma'},
    optional: [],
    shared: {A: 'randlora_A', B: 'randlora_B'},
    shapes(parts, {rank}) {
      // A [rank, 1, p] tells how many bases B [q, N, rank] has.
      const bases = Math.ceil((parts['A']?.length ?? 0) / rank ** 2);
      const rows = (parts['lambda']?.length ?? 0) / rank;
      return lengths(parts, (part, length) => {
        if (part === 'A') return [rank, 1, length / rank];
        if (part === 'B') return [length / (bases * rank), bases, rank];
        return part === 'lambda' ? [rank, rows] : [rows, length / rows];
      });
    },
    rankKey: 'r',
    alphaKey: 'randlora_alpha',
    options: () => ({}),
    config: ({rank, options}, alpha) => ({
      projection_prng_key: options['seed'] ?? 0,
      r: rank,
      randlora_alpha: alpha,
      randlora_dropout: 0,
      save_projection: true,
      sparse: false,
      very_sparse: false,
    }),
  },
};

/** Uniform values of mean 0 and standard deviation 1: PEFT divides its uniform draws by their deviation. */
function ofUnitDeviation(numbers: Random, shape: number[]): Float32Array {
  const size = product(shape);
  return numbers.uniform(size, -Math.sqrt(3), Math.sqrt(3));
}
