import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {liveNodes} from '../../../trainer/engine/graph/graph.ts';
import {withJoinedProducts} from '../../../trainer/engine/graph/shared-operands.ts';
import {storedWeight} from '../../../trainer/engine/graph/tracing.ts';
import {fused} from '../../../trainer/engine/macros/fused.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {traceComputation} from '../../../trainer/engine/program/compilation.ts';
import type {Computation, Tensors} from '../../../trainer/engine/program/engine.ts';
import {random} from '../../../trainer/math/random.ts';
import {type BaseModel, openFolder} from '../../../trainer/model/open-model.ts';
import {golden} from '../golden.ts';

const rows = 3;
const llama = openFolder(golden('models/llama'));
const {linear, lowRank} = fused({merged: false});

/** Of the model's first layer. */
const weightOf = ({weights}: BaseModel, name: string) =>
  storedWeight(weights.tensors.get(`model.layers.0.self_attn.${name}_proj.weight`)!);

function computation({config}: BaseModel, body: (x: tf.Tensor, others: Tensors) => Tensors): Computation {
  const {hiddenSize: size} = config;
  return {
    inputs: {
      x: {shape: [1, rows, size], dtype: 'float32'},
      y: {shape: [1, rows, size], dtype: 'float32'},
      fed: {shape: [size, size], dtype: 'float32'},
    },
    state: {},
    packed: true,
    body: ({x, ...others}) => body(x!, others),
  };
}

const opsOf = (body: (x: tf.Tensor, others: Tensors) => Tensors): string[] =>
  liveNodes(withJoinedProducts(traceComputation(computation(llama, body)))).map(({op}) => op);

/** Queries with an update beside their weight, keys and values. */
function attentionInputs(model: BaseModel, x: tf.Tensor): Tensors {
  const {hiddenSize: size, heads, headDim} = model.config;
  const factor = (name: string, shape: number[]) =>
    tf.tensor(Float32Array.from(random('joined', name).normal(2 * size)), shape);
  const factors = {A: factor('A', [1, 2, size]), B: factor('B', [1, heads * headDim, 2])};
  return {
    q: lowRank(x, weightOf(model, 'q'), factors, 0.5),
    k: linear(x, weightOf(model, 'k')),
    v: linear(x, weightOf(model, 'v')),
  };
}

describe('products of one matrix', () => {
  it('with frozen and constant ones are one; what needs a part of its result stays by itself', () => {
    expect(opsOf(x => attentionInputs(llama, x))).toEqual(['BatchMatMul', 'SplitV', 'BatchMatMul', 'Add']);
  });

  it('stay as they are with what is fed or turned, and where another matrix stands on the left', () => {
    const body = (x: tf.Tensor, {y, fed}: Tensors): Tensors => ({
      own: linear(x, weightOf(llama, 'q')),
      fed: linear(x, fed!),
      turned: tf.matMul(x, weightOf(llama, 'q')),
      other: linear(y!, weightOf(llama, 'k')),
    });
    expect(opsOf(body)).toEqual(['BatchMatMul', 'BatchMatMul', 'BatchMatMul', 'BatchMatMul']);
  });

  for (const name of ['llama', 'llama-bf16'])
    it(`${name}: are what they are one by one`, async () => {
      const model = openFolder(golden(`models/${name}`));
      const {hiddenSize: size} = model.config;
      const feeds = {
        x: Float32Array.from(random('joined', 'x').normal(rows * size)),
        y: new Float32Array(rows * size),
        fed: new Float32Array(size * size),
      };
      const results = [];
      for (const packsWeights of [false, true]) {
        const engine = openCompiled({threads: 1, packsWeights});
        const program = await engine.compile(computation(model, x => attentionInputs(model, x)));
        const result = await program.run(feeds);
        results.push(Object.values(result).map(values => values.slice()));
        await engine.dispose();
      }
      const [apart, joined] = results as [Float32Array[], Float32Array[]];
      apart.forEach((values, i) => {
        const largest = Math.max(...values.map(Math.abs));
        // Sums of up to 64 products in another order.
        values.forEach((value, at) => {
          expect(Math.abs(joined[i]![at]! - value)).toBeLessThan(64 * 2 ** -24 * largest);
        });
      });
    });
});
