import * as tf from '@tensorflow/tfjs-core';
import {type Method, rankFits} from './method.ts';

/**
 * GraLoRA (Jung et al. 2025): W is cut into k × k blocks, each with a pair of rank rank/k. A [k, inputs/k, rank] holds, for
 * the i-th part of the inputs, the factors of all k blocks beside each other; B [k, rank, outputs/k] holds, for the j-th
 * part of the outputs, those of all blocks below each other (PEFT's layout):
 * y_j = W x + s · Σ_i B[j][i-th group of rows]ᵀ A[i][j-th group of columns]ᵀ x_i.
 */
export const gralora: Method = {
  residual: false,
  trained({inputs, outputs}, {rank, options}) {
    const k = options['blocks']!;
    return {A: [k, inputs / k, rank], B: [k, rank, outputs / k]};
  },
  obstacle(site, form) {
    const k = form.options['blocks']!;
    const bad = (why: string) => ({code: 'bad-blocks' as const, why: `${why}; give gralora other blocks`});
    if (site.inputs % k !== 0 || site.outputs % k !== 0) return bad(`cannot be cut into ${k} × ${k} equal blocks`);
    if (form.rank % k !== 0)
      return bad(`would have ${k} × ${k} blocks, among which a rank of ${form.rank} cannot be shared`);
    return rankFits(site, form);
  },
  async init({site, form: {rank, options}, random}) {
    // Kaiming-uniform with a = √5, block by block.
    const bound = 1 / Math.sqrt(site.inputs / options['blocks']!);
    return {A: random.uniform(site.inputs * rank, -bound, bound), B: new Float32Array(rank * site.outputs)};
  },
  apply(macros, x, W, {own}, {rank, scale, options}) {
    const k = options['blocks']!;
    const [trials, rows, inputs] = x.shape as [number, number, number];
    const outputs = W.shape[0]!;
    const parts = tf.transpose(tf.reshape(x, [trials, rows, k, inputs / k]), [0, 2, 1, 3]);
    // [trials, i, rows, j, rank/k]: what the i-th part of the inputs gives to the j-th part of the outputs.
    const narrow = tf.reshape(tf.matMul(parts, own['A']!), [trials, k, rows, k, rank / k]);
    const gathered = tf.reshape(tf.transpose(narrow, [0, 3, 2, 1, 4]), [trials, k, rows, rank]);
    const update = tf.transpose(tf.matMul(gathered, own['B']!), [0, 2, 1, 3]);
    return tf.add(macros.linear(x, W), tf.mul(tf.reshape(update, [trials, rows, outputs]), scale));
  },
};
