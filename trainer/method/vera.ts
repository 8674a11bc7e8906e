import * as tf from '@tensorflow/tfjs-core';
import {random} from '../math/random.ts';
import type {Computation} from './method.ts';
import {pairLengths} from './peft-format.ts';

/**
 * VeRA (Kopiczko et al. 2024): W x + b ∘ B(d ∘ (A x)) with one frozen random pair for all sites, of which each takes the
 * first columns of A [rank, most inputs] and the first rows of B [most outputs, rank]. Both are drawn as in PEFT,
 * Kaiming-uniform with gain √2; d starts at `d_initial`, b at 0.
 */
export const vera: Computation = {
  shared: (sites, {rank}) => ({
    A: [rank, Math.max(...sites.map(site => site.inputs))],
    B: [Math.max(...sites.map(site => site.outputs)), rank],
  }),
  draw(shapes, {options}, seed) {
    const stream = (part: string) => random(options['seed'] ?? seed, 'vera', part);
    const drawn = Object.entries(shapes).map(([part, shape]) => {
      const [rows, columns] = shape as [number, number];
      const bound = Math.sqrt(6 / columns);
      return [part, stream(part).uniform(rows * columns, -bound, bound)];
    });
    return Object.fromEntries(drawn);
  },
  init: async ({site, form}) => ({
    d: new Float32Array(form.rank).fill(form.options['d_initial']!),
    b: new Float32Array(site.outputs),
  }),
  apply(macros, x, W, {own, shared}, {rank}) {
    const [inputs, outputs] = [W.shape[1]!, W.shape[0]!];
    const [A, B] = [shared['A']!, shared['B']!];
    const trials = A.shape[0]!;
    const narrow = tf.matMul(x, tf.slice(A, [0, 0, 0], [trials, rank, inputs]), false, true);
    const scaled = tf.mul(narrow, tf.expandDims(own['d']!, 1));
    const wide = tf.matMul(scaled, tf.slice(B, [0, 0, 0], [trials, outputs, rank]), false, true);
    return tf.add(macros.linear(x, W), tf.mul(wide, tf.expandDims(own['b']!, 1)));
  },
  peft: {
    peftType: 'VERA',
    names: {d: 'vera_lambda_d', b: 'vera_lambda_b'},
    optional: [],
    shared: {A: 'vera_A', B: 'vera_B'},
    shapes: pairLengths,
    rankKey: 'r',
    alphaKey: null,
    options: ({d_initial}) => ({d_initial: typeof d_initial === 'number' ? d_initial : 0.1}),
    config: ({rank, options}) => ({
      d_initial: options['d_initial'] ?? 0.1,
      projection_prng_key: options['seed'] ?? 0,
      r: rank,
      save_projection: true,
      vera_dropout: 0,
    }),
  },
};
