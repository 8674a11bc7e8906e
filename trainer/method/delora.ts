import * as tf from '@tensorflow/tfjs-core';
import {lora} from './lora.ts';
import type {Computation} from './method.ts';
import {pairLengths} from './peft-format.ts';

/** Lengths below this count as this, as in PEFT. */
const shortest = 1e-4;

/** ‖·‖ along an axis, at least `shortest`: where a vector is shorter its length is a constant. */
function lengthOf(x: tf.Tensor, axis: number): tf.Tensor {
  const squares = tf.sum(tf.square(x), axis);
  const least = tf.tensor(new Float32Array(squares.size).fill(shortest ** 2), squares.shape);
  return tf.sqrt(tf.where(tf.greater(squares, least), squares, least));
}

/**
 * DeLoRA (Bini et al. 2025): W·x + B·D·A·(n ∘ x) with D = diag(λ / (rank·‖a_i‖·‖b_i‖)) over the rows a_i of A and the
 * columns b_i of B, and the frozen lengths n of W's columns.
 */
export const delora: Computation = {
  async init(context) {
    const {
      site: {inputs, outputs},
      form: {options},
      weight,
    } = context;
    const pair = await lora.init(context);
    const W = weight();
    const norms = Float32Array.from({length: inputs}, (_, column) => {
      let sum = 0;
      for (let row = 0; row < outputs; row++) sum += W[row * inputs + column]! ** 2;
      return Math.sqrt(sum);
    });
    return {...pair, lambda: Float32Array.of(options['lambda']!), norms};
  },
  apply(macros, x, W, {own}, {rank}) {
    const [A, B] = [own['A']!, own['B']!];
    const narrow = tf.matMul(tf.mul(x, tf.expandDims(own['norms']!, 1)), A, false, true);
    const strength = tf.div(tf.div(own['lambda']!, rank), tf.mul(lengthOf(A, 2), lengthOf(B, 1)));
    const wide = tf.matMul(tf.mul(narrow, tf.expandDims(strength, 1)), B, false, true);
    return tf.add(macros.linear(x, W), wide);
  },
  peft: {
    peftType: 'DELORA',
    names: {A: 'delora_A', B: 'delora_B', lambda: 'delora_lambda', norms: 'delora_w_norm'},
    optional: [],
    shared: {},
    shapes: pairLengths,
    rankKey: 'r',
    alphaKey: null,
    without: ['fan_in_fan_out'],
    options: ({delora_lambda: lambda}) => ({lambda: typeof lambda === 'number' ? lambda : 15}),
    config: ({rank, options}) => ({
      delora_lambda: options['lambda']!,
      lambda_pattern: {},
      module_dropout: 0,
      r: rank,
      rank_pattern: {},
    }),
  },
};
