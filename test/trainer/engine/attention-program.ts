/** Attention over all positions or a window, behind so many others, and the gradients of a weighted sum of it, as a computation. */
import * as tf from '@tensorflow/tfjs-core';
import type {Macros} from '../../../trainer/engine/macros/macros.ts';
import type {Computation, Values} from '../../../trainer/engine/program/engine.ts';
import {random} from '../../../trainer/math/random.ts';

const [rows, kvHeads, group, size] = [2, 2, 3, 8];

export function attentionProgram(
  macros: Pick<Macros, 'attention'>,
  length: number,
  window: number,
  before = 0,
): {computation: Computation; feeds: Record<string, Values>} {
  const all = before + length;
  const mask = Float32Array.from({length: group * length * all}, (_, i) => {
    const [position, seen] = [before + (Math.floor(i / all) % length), i % all];
    return seen > position || seen <= position - window ? -1e9 : 0;
  });
  const shapes = {
    q: [rows, kvHeads, group * length, size],
    k: [rows, kvHeads, all, size],
    v: [rows, kvHeads, all, size],
    weights: [rows, kvHeads, group * length, size],
  };
  return {
    computation: {
      inputs: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, {shape, dtype: 'float32'}])),
      state: {},
      body: ({q, k, v, weights}) => {
        const seen = tf.tensor(mask, [group * length, all]);
        const attend = (...[own, keys, values]: tf.Tensor[]) =>
          macros.attention(own!, keys!, values!, seen, {scale: size ** -0.5, cap: null, group});
        const weigh = (...x: tf.Tensor[]) => tf.sum(tf.mul(attend(...x), weights!)) as tf.Scalar;
        const [dq, dk, dv] = tf.grads(weigh)([q!, k!, v!]);
        return {y: attend(q!, k!, v!), dq: dq!, dk: dk!, dv: dv!};
      },
    },
    feeds: Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const count = shape.reduce((product, axis) => product * axis, 1);
        return [name, Float32Array.from(random('attention', name).normal(count))];
      }),
    ),
  };
}
