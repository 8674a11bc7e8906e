import * as tf from '@tensorflow/tfjs-core';
import {inverse} from '../../engine/graph/inverse.ts';
import type {Form} from '../form.ts';
import type {Computation} from '../method.ts';

const blockOf = ({rank, options}: Form): number => options['block_size'] ?? rank;

/**
 * OFT (Qiu et al. 2023) as PEFT has it: y = W·R·x with one block-diagonal R. K [blocks, block·(block - 1)/2] holds the upper
 * triangle of a skew matrix for each block; K = 0 starts at the base.
 */
export const oft: Computation = {
  init: async ({site: {inputs}, form}) => {
    const block = blockOf(form);
    const blocks = form.options['block_share'] === 1 ? 1 : inputs / block;
    return {K: new Float32Array((blocks * block * (block - 1)) / 2)};
  },
  apply(macros, x, W, {own}, form) {
    const block = blockOf(form);
    const [trials, rows, inputs] = x.shape as [number, number, number];
    const K = skew(own['K']!, block);
    const {use_cayley_neumann: series, num_cayley_neumann_terms: terms} = form.options;
    const R = series === 1 ? neumann(K, terms!) : cayley(K);
    const count = inputs / block;
    // x stands as rows: as many matrices as there are blocks, or one where they are all the same.
    if (R.shape[0] === trials)
      return macros.linear(tf.reshape(tf.matMul(tf.reshape(x, [trials, rows * count, block]), R), x.shape), W);
    const parts = tf.transpose(tf.reshape(x, [trials, rows, count, block]), [0, 2, 1, 3]);
    const turned = tf.matMul(parts, tf.reshape(R, [trials, count, block, block]));
    return macros.linear(tf.reshape(tf.transpose(turned, [0, 2, 1, 3]), x.shape), W);
  },
  peft: {
    peftType: 'OFT',
    names: {K: 'oft_R.weight'},
    optional: [],
    shared: {},
    rankKey: null,
    alphaKey: null,
    options: ({block_share, num_cayley_neumann_terms: terms, use_cayley_neumann: series}, {K}) => ({
      block_size: (1 + Math.sqrt(1 + 8 * (K?.[1] ?? 0))) / 2,
      block_share: Number(block_share === true),
      num_cayley_neumann_terms: typeof terms === 'number' ? terms : 5,
      use_cayley_neumann: Number(series !== false),
    }),
    config: form => ({
      block_share: form.options['block_share'] === 1,
      coft: false,
      eps: 6e-5,
      module_dropout: 0,
      num_cayley_neumann_terms: form.options['num_cayley_neumann_terms']!,
      oft_block_size: blockOf(form),
      r: 0,
      use_cayley_neumann: form.options['use_cayley_neumann'] === 1,
    }),
  },
};

/** Skew matrices [count, n, n] from their upper triangles [..., n(n - 1)/2], row by row. */
function skew(triangles: tf.Tensor, n: number): tf.Tensor {
  const size = (n * (n - 1)) / 2;
  const columns = tf.transpose(tf.reshape(triangles, [-1, size]));
  // One more row, of zeros, is what stands on the diagonal and below it.
  const rows = tf.pad(columns, [
    [0, 1],
    [0, 0],
  ]);
  const from = new Int32Array(n * n).fill(size);
  let next = 0;
  for (let row = 0; row < n; row++) for (let column = row + 1; column < n; column++) from[row * n + column] = next++;
  const upper = tf.reshape(tf.transpose(tf.gather(rows, tf.tensor(from, [n * n], 'int32'))), [-1, n, n]);
  return tf.sub(upper, tf.transpose(upper, [0, 2, 1]));
}

/** (I - K)(I + K)⁻¹ */
function cayley(K: tf.Tensor): tf.Tensor {
  const I = tf.eye(K.shape[1]!);
  return tf.matMul(tf.sub(I, K), inverse(tf.add(I, K)));
}

/** I + 2K + 2K² + … + 2Kⁿ⁻² + Kⁿ⁻¹ with n terms, and up to K³ with three as with four. */
function neumann(K: tf.Tensor, terms: number): tf.Tensor {
  const sum = tf.add(tf.eye(K.shape[1]!), tf.mul(K, 2));
  if (terms === 2) return sum;
  let power = tf.matMul(K, K);
  let series = tf.add(sum, tf.mul(power, 2));
  for (let exponent = 3; exponent < terms - 1; exponent++) {
    power = tf.matMul(power, K);
    series = tf.add(series, tf.mul(power, 2));
  }
  return tf.add(series, tf.matMul(power, K));
}
