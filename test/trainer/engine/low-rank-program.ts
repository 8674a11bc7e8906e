/** A low-rank update beside a weight, on x of many rows or few: its result and gradients, as a computation. */
import * as tf from '@tensorflow/tfjs-core';
import type {Macros} from '../../../trainer/engine/macros/macros.ts';
import type {Computation, Values} from '../../../trainer/engine/program/engine.ts';
import {random} from '../../../trainer/math/random.ts';

const [inputs, outputs, rank, scale] = [16, 24, 4, 0.5];

export function lowRankProgram(
  macros: Macros,
  rows: number,
): {computation: Computation; feeds: Record<string, Values>} {
  const shapes = {
    x: [1, rows, inputs],
    W: [outputs, inputs],
    A: [1, rank, inputs],
    B: [1, outputs, rank],
    A0: [1, rank, inputs],
    B0: [1, outputs, rank],
    weights: [1, rows, outputs],
  };
  const sizes = Object.entries(shapes).map(
    ([name, shape]) => [name, shape.reduce((product, axis) => product * axis, 1)] as const,
  );
  return {
    computation: {
      inputs: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, {shape, dtype: 'float32'}])),
      state: {},
      body: ({x, W, A, B, A0, B0, weights}) => {
        const updated = (x: tf.Tensor, A: tf.Tensor, B: tf.Tensor) =>
          macros.lowRank(x, W!, {A, B, start: {A: A0!, B: B0!}}, scale);
        const weighed = (...[x, A, B]: tf.Tensor[]) =>
          tf.sum(tf.mul(tf.square(updated(x!, A!, B!)), weights!)) as tf.Scalar;
        const [dx, dA, dB] = tf.grads(weighed)([x!, A!, B!]);
        return {y: updated(x!, A!, B!), dx: dx!, dA: dA!, dB: dB!};
      },
    },
    feeds: Object.fromEntries(
      sizes.map(([name, size]) => [name, Float32Array.from(random('low rank', name).normal(size))]),
    ),
  };
}

/** The largest difference of a result, relative to its largest number. */
export function furthestApart(results: Record<string, Values>, expected: Record<string, Values>): number {
  const ratios = Object.entries(expected).map(([name, all]) => {
    const values = Array.from(all);
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    return values.reduce((most, x, i) => Math.max(most, Math.abs(x - results[name]![i]!)), 0) / largest;
  });
  return Math.max(...ratios);
}
