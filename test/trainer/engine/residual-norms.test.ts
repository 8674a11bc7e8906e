import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {liveNodes} from '../../../trainer/engine/graph/graph.ts';
import {residualNormOp, withResidualNorms} from '../../../trainer/engine/graph/residual-norms.ts';
import {fused} from '../../../trainer/engine/macros/fused.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {traceComputation} from '../../../trainer/engine/program/compilation.ts';
import type {Computation, Tensors} from '../../../trainer/engine/program/engine.ts';
import {random} from '../../../trainer/math/random.ts';

const shape = [1, 3, 16];
const {rmsNorm} = fused({merged: false});
const weight = () => tf.tensor(Float32Array.from(random('norm', 'w').normal(16)), [16]);

const computation = (body: (a: tf.Tensor, b: tf.Tensor) => Tensors): Computation => ({
  inputs: {a: {shape, dtype: 'float32'}, b: {shape, dtype: 'float32'}},
  state: {},
  packed: true,
  body: ({a, b}) => body(a!, b!),
});
const opsOf = (body: (a: tf.Tensor, b: tf.Tensor) => Tensors): string[] =>
  liveNodes(withResidualNorms(traceComputation(computation(body)))).map(({op}) => op);

/** Two blocks, each after a norm: what they add goes on beside it. */
function blocks(a: tf.Tensor, b: tf.Tensor): Tensors {
  const between = tf.add(a, b);
  const after = tf.add(between, tf.tanh(rmsNorm(between, weight(), 1e-5)));
  return {y: rmsNorm(after, weight(), 1e-5), after};
}

describe('a sum and its norm', () => {
  it('are one operation, whoever else reads the sum', () => {
    expect(opsOf(blocks)).toEqual([residualNormOp, 'Tanh', residualNormOp]);
  });

  it('stay two where one side is repeated, and where the weight is worked out', () => {
    expect(opsOf(a => ({y: rmsNorm(tf.add(a, tf.scalar(1)), weight(), 1e-5)}))).toEqual(['Add', 'RmsNormalization']);
    const offset = (a: tf.Tensor, b: tf.Tensor) => ({
      y: rmsNorm(tf.add(a, b), tf.reshape(tf.slice(a, 0, [1, 1, 16]), [16]), 1e-5),
    });
    expect(opsOf(offset)).not.toContain(residualNormOp);
  });

  it('are what they are one after the other', async () => {
    const feeds = {
      a: Float32Array.from(random('norm', 'a').normal(48)),
      b: Float32Array.from(random('norm', 'b').normal(48)),
    };
    const results = [];
    for (const packsWeights of [false, true]) {
      const engine = openCompiled({threads: 1, packsWeights});
      const program = await engine.compile(computation(blocks));
      const {y, after} = await program.run(feeds);
      results.push([...y!, ...after!]);
      await engine.dispose();
    }
    const [apart, together] = results as [number[], number[]];
    // Roundings of a sum of 16 squares, its root and three products, at values below 4.
    apart.forEach((value, i) => {
      expect(Math.abs(together[i]! - value)).toBeLessThan(4 * 20 * 2 ** -24);
    });
  });
});
