import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {openCompiled} from '../../../trainer/engine/compiled.ts';
import {composite} from '../../../trainer/engine/composite.ts';
import type {Macros} from '../../../trainer/engine/macros.ts';
import {random} from '../../../trainer/math/random.ts';
import {furthestApart} from './low-rank-program.ts';

const [rows, kvHeads, group, size] = [2, 2, 3, 8];

/** Attention and the gradients of a weighted sum of it, over all positions or a window. */
async function attentionOf(length: number, window: number, plain: boolean): Promise<Record<string, Float32Array>> {
  const engine = openCompiled({threads: 1});
  const mask = Float32Array.from({length: group * length * length}, (_, i) => {
    const [position, seen] = [Math.floor(i / length) % length, i % length];
    return seen > position || seen <= position - window ? -1e9 : 0;
  });
  const shapes = {
    q: [rows, kvHeads, group * length, size],
    k: [rows, kvHeads, length, size],
    v: [rows, kvHeads, length, size],
    weights: [rows, kvHeads, group * length, size],
  };
  const program = await engine.compile({
    inputs: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, {shape, dtype: 'float32'}])),
    state: {},
    body: ({q, k, v, weights}) => {
      const macros: Pick<Macros, 'attention'> = plain ? composite : engine.macros({merged: false});
      const seen = tf.tensor(mask, [group * length, length]);
      const attend = (...[own, keys, values]: tf.Tensor[]) =>
        macros.attention(own!, keys!, values!, seen, size ** -0.5);
      const weigh = (...x: tf.Tensor[]) => tf.sum(tf.mul(attend(...x), weights!)) as tf.Scalar;
      const [dq, dk, dv] = tf.grads(weigh)([q!, k!, v!]);
      return {y: attend(q!, k!, v!), dq: dq!, dk: dk!, dv: dv!};
    },
  });
  const feeds = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    return [name, Float32Array.from(random('attention', name).normal(count))] as const;
  });
  const results = await program.run(Object.fromEntries(feeds));
  await engine.dispose();
  return results as Record<string, Float32Array>;
}

describe('attention in blocks of queries', () => {
  for (const [length, window] of [
    [100, Infinity],
    [256, Infinity],
    [300, Infinity],
    [300, 70],
  ] as const)
    it(`${length} positions, ${window < length ? `a window of ${window}` : 'all'}: as plain operations give it, gradients too`, async () => {
      const [ours, plain] = [await attentionOf(length, window, false), await attentionOf(length, window, true)];
      expect(furthestApart(ours, plain)).toBeLessThan(1e-5);
    });
});
