import * as tf from '@tensorflow/tfjs-core';
import {inverse} from '../../engine/graph/inverse.ts';
import type {Form} from '../form.ts';
import type {Computation} from '../method.ts';
import {lengths} from '../peft-format.ts';

const blockOf = ({rank, options}: Form): number => options['block_size'] ?? rank;
const factorsOf = ({options}: Form): number => options['butterfly_factor'] ?? 1;

/**
 * BOFT (Liu et al. 2024): y = m ∘ (W R x), before the bias, with R a product of `butterfly_factor` orthogonal matrices,
 * each block-diagonal up to a permutation. R [factors, inputs/block, block, block] holds the trained X of every block,
 * whose Cayley transform is (I - K)(I + K)⁻¹ with K = (X - Xᵀ)/2; X = 0 and m = 1 start at the base.
 */
export const boft: Computation = {
  init: async ({site, form}) => ({
    R: new Float32Array(factorsOf(form) * site.inputs * blockOf(form)),
    s: new Float32Array(site.outputs).fill(1),
  }),
  apply(macros, x, W, {own}, form) {
    const block = blockOf(form);
    const rotations = tf.split(cayley(own['R']!), factorsOf(form), 1);
    let turned = x;
    // R is the product of the last factor to the first, as in PEFT, and x stands before it.
    for (const [factor, Q] of [...rotations.entries()].reverse()) {
      const [trials, , count] = Q.shape as [number, number, number];
      const blocks = tf.reshape(Q, [trials, count, block, block]);
      turned = apart(rotated(together(turned, block, factor), blocks), block, factor);
    }
    return tf.mul(macros.linear(turned, W), tf.reshape(own['s']!, [x.shape[0]!, 1, W.shape[0]!]));
  },
  peft: {
    peftType: 'BOFT',
    names: {R: 'boft_R', s: 'boft_s'},
    optional: [],
    shared: {},
    shapes(parts, form) {
      const block = blockOf(form);
      const factors = factorsOf(form);
      return lengths(parts, (part, length) =>
        part === 'R' ? [factors, length / (factors * block ** 2), block, block] : [length, 1],
      );
    },
    rankKey: null,
    alphaKey: null,
    options: (_, {R}) => ({block_size: R?.[3] ?? 0, butterfly_factor: R?.[0] ?? 0}),
    config: form => ({
      boft_block_num: 0,
      boft_block_size: blockOf(form),
      boft_dropout: 0,
      boft_n_butterfly_factor: factorsOf(form),
    }),
  },
};

/** Orthogonal matrices from any square ones X [..., n, n]: (I - K)(I + K)⁻¹ with K = (X - Xᵀ)/2. */
function cayley(X: tf.Tensor): tf.Tensor {
  const n = X.shape.at(-1)!;
  const blocks = tf.reshape(X, [-1, n, n]);
  const K = tf.mul(tf.sub(blocks, tf.transpose(blocks, [0, 2, 1])), 0.5);
  const I = tf.eye(n);
  return tf.reshape(tf.matMul(tf.sub(I, K), inverse(tf.add(I, K))), X.shape);
}

/** x [trials, rows, inputs] times a block-diagonal matrix of blocks [trials, blocks, size, size]. */
function rotated(x: tf.Tensor, Q: tf.Tensor): tf.Tensor {
  const [trials, rows] = x.shape as [number, number];
  const [, blocks, size] = Q.shape as [number, number, number];
  const parts = tf.transpose(tf.reshape(x, [trials, rows, blocks, size]), [0, 2, 1, 3]);
  return tf.reshape(tf.transpose(tf.matMul(parts, Q), [0, 2, 1, 3]), x.shape);
}

/**
 * The butterfly's permutation: `together` brings half blocks that lie 2^factor half blocks apart side by side, `apart` takes
 * them back.
 */
function apart(x: tf.Tensor, block: number, factor: number): tf.Tensor {
  return factor === 0 ? x : swapped(x, [2 ** factor, 2, block / 2]);
}

function together(x: tf.Tensor, block: number, factor: number): tf.Tensor {
  return factor === 0 ? x : swapped(x, [2, 2 ** factor, block / 2]);
}

/** The last axis in groups of [a, b, size], with a and b exchanged. */
function swapped(x: tf.Tensor, [a, b, size]: [number, number, number]): tf.Tensor {
  const [trials, rows] = x.shape as [number, number];
  return tf.reshape(tf.transpose(tf.reshape(x, [trials, rows, -1, a, b, size]), [0, 1, 2, 4, 3, 5]), x.shape);
}
