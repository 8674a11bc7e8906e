import * as tf from '@tensorflow/tfjs-core';
import type {Computation} from './method.ts';
import {lengths} from './peft-format.ts';

/**
 * GraLoRA (Jung et al. 2025): W is cut into k × k blocks, each with a pair of rank rank/k. A [k, inputs/k, rank] holds, for
 * the i-th part of the inputs, the factors of all k blocks beside each other; B [k, rank, outputs/k] holds, for the j-th
 * part of the outputs, those of all blocks below each other (PEFT's layout):
 * y_j = W x + s · Σ_i B[j][i-th group of rows]ᵀ A[i][j-th group of columns]ᵀ x_i.
 */
export const gralora: Computation = {
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
  peft: {
    peftType: 'GRALORA',
    names: {A: 'gralora_A', B: 'gralora_B'},
    optional: [],
    shared: {},
    shapes: (parts, {rank, options}) => {
      const k = options['blocks']!;
      return lengths(parts, (part, length) =>
        part === 'A' ? [k, length / (k * rank), rank] : [k, rank, length / (k * rank)],
      );
    },
    rankKey: 'r',
    alphaKey: 'alpha',
    options: (_, {A}) => ({blocks: A?.[0] ?? 1}),
    config: ({rank, options}, alpha) => ({
      alpha,
      gralora_dropout: 0,
      gralora_k: options['blocks']!,
      hybrid_r: 0,
      r: rank,
    }),
  },
};
