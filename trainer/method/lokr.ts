import * as tf from '@tensorflow/tfjs-core';
import {lokr as description} from '../../core/method/each/lokr.ts';
import type {Computation} from './method.ts';

/** Factors that start at zero, so that the update does. */
const zero = ['C1', 'B1'];

/** x [.., n] times Cᵀ, or times (B·A)ᵀ one after another. x has the shape [trials, rows, n]. */
function timesFactor(x: tf.Tensor, own: Record<string, tf.Tensor>, which: 1 | 2): tf.Tensor {
  const whole = own[`C${which}`];
  if (whole) return tf.matMul(x, whole, false, true);
  return tf.matMul(tf.matMul(x, own[`A${which}`]!, false, true), own[`B${which}`]!, false, true);
}

/**
 * LoKr (Yeh et al. 2023): W + s·(C₁ ⊗ C₂), each factor whole or a product B·A. With x as a matrix X [columns of C₁, columns
 * of C₂] the update is C₁·X·C₂ᵀ, so that the Kronecker product is never formed.
 */
export const lokr: Computation = {
  async init({site, form, random}) {
    const drawn = Object.entries(description.shapes(site, form)).map(([part, [rows, columns]]) => {
      const bound = 1 / Math.sqrt(columns!);
      const size = rows! * columns!;
      return [part, zero.includes(part) ? new Float32Array(size) : random.uniform(size, -bound, bound)];
    });
    return Object.fromEntries(drawn);
  },
  apply(macros, x, W, {own}, {scale}) {
    const [trials, rows, inputs] = x.shape as [number, number, number];
    const narrow = (own['C2'] ?? own['A2']!).shape[2]!;
    const parts = inputs / narrow;
    const right = timesFactor(tf.reshape(x, [trials, rows * parts, narrow]), own, 2);
    const wide = right.shape[2]!;
    const turned = tf.transpose(tf.reshape(right, [trials, rows, parts, wide]), [0, 1, 3, 2]);
    const left = timesFactor(tf.reshape(turned, [trials, rows * wide, parts]), own, 1);
    const update = tf.transpose(tf.reshape(left, [trials, rows, wide, left.shape[2]!]), [0, 1, 3, 2]);
    return tf.add(macros.linear(x, W), tf.mul(tf.reshape(update, [trials, rows, W.shape[0]!]), scale));
  },
  peft: {
    peftType: 'LOKR',
    names: {C1: 'lokr_w1', B1: 'lokr_w1_a', A1: 'lokr_w1_b', C2: 'lokr_w2', B2: 'lokr_w2_a', A2: 'lokr_w2_b'},
    optional: ['C1', 'B1', 'A1', 'C2', 'B2', 'A2'],
    shared: {},
    rankKey: 'r',
    alphaKey: 'alpha',
    without: ['bias', 'fan_in_fan_out'],
    options: ({decompose_both: both, decompose_factor: factor}) => ({
      decompose_both: Number(both === true),
      decompose_factor: typeof factor === 'number' ? factor : -1,
    }),
    config: ({rank, options}, alpha) => ({
      alpha,
      alpha_pattern: {},
      decompose_both: options['decompose_both'] === 1,
      decompose_factor: options['decompose_factor']!,
      module_dropout: 0,
      r: rank,
      rank_dropout: 0,
      rank_dropout_scale: false,
      rank_pattern: {},
      use_effective_conv2d: false,
    }),
  },
};
