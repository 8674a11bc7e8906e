import * as tf from '@tensorflow/tfjs-core';
import type {Computation} from './method.ts';
import {lengths} from './peft-format.ts';

/**
 * MiSS (Kang & Yin 2024) as PEFT's default form has it: the inputs in groups of `rank`, filled up with zeros at their end,
 * are added up, and the sums go through D [rank, outputs], which starts at zero.
 */
export const miss: Computation = {
  init: async ({site, form}) => ({D: new Float32Array(form.rank * site.outputs)}),
  apply(macros, x, W, {own}, {rank}) {
    const [trials, rows, inputs] = x.shape as [number, number, number];
    const shards = Math.ceil(inputs / rank);
    const missing = shards * rank - inputs;
    const filled =
      missing === 0
        ? x
        : tf.pad(x, [
            [0, 0],
            [0, 0],
            [0, missing],
          ]);
    const sums = tf.sum(tf.reshape(filled, [trials, rows, shards, rank]), 2);
    return tf.add(macros.linear(x, W), tf.matMul(sums, own['D']!));
  },
  peft: {
    peftType: 'MISS',
    names: {D: 'miss_block'},
    optional: [],
    shared: {},
    shapes: (parts, {rank}) => lengths(parts, (_, length) => [rank, length / rank]),
    rankKey: 'r',
    alphaKey: null,
    options: () => ({}),
    config: ({rank}) => ({miss_dropout: 0, mini_r: 1, r: rank}),
  },
};
