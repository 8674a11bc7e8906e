/** Whether a native engine computes what plain TFJS computes: one layer's loss and gradient, in both precisions. */

import * as tf from '@tensorflow/tfjs-core';
import {product} from '../../core/numbers.ts';
import type {Computation, Engine} from '../engine/program/engine.ts';

const [rows, length, size, heads, vocabulary, rank] = [2, 8, 32, 2, 40, 4];

/** Numbers that look random and are the same everywhere. */
function numbers(shape: number[], seed: number): Float32Array {
  const count = product(shape);
  return Float32Array.from({length: count}, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) * 0.5);
}

const shapes = {
  x: [1, rows * length, size],
  W: [size, size],
  A: [1, rank, size],
  B: [1, size, rank],
  norm: [size],
  E: [vocabulary, size],
};

/** Norm, adapted projection, attention, gate and loss, with the gradient of the adapter. */
function layer(engine: Engine): Computation {
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, {shape, dtype: 'float32' as const}]),
  );
  return {
    inputs: {...inputs, targets: {shape: [rows * length], dtype: 'int32'}},
    state: {},
    body({x, W, A, B, norm, E, targets}) {
      const macros = engine.macros({merged: false});
      const split = (y: tf.Tensor) => tf.transpose(tf.reshape(y, [rows, length, heads, size / heads]), [0, 2, 1, 3]);
      const loss = (a: tf.Tensor, b: tf.Tensor) => {
        const h = macros.rmsNorm(x!, norm!, 1e-6);
        const y = split(macros.lowRank(h, W!, {A: a, B: b}, 2));
        const mixed = macros.attention(y, y, y, tf.zeros([length, length]), {scale: 0.25, cap: null, group: 1});
        const flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows * length, size]);
        return tf.sum(macros.crossEntropy(macros.gated(flat, flat, 'silu'), E!, targets!, null)) as tf.Scalar;
      };
      const {value, grads} = tf.valueAndGrads((...[a, b]) => loss(a!, b!))([A!, B!]);
      return {loss: value, A: grads[0]!, B: grads[1]!};
    },
  };
}

/** Loss and gradients of the layer on an engine. */
export async function layerOn(engine: Engine): Promise<Record<string, Float32Array>> {
  const program = await engine.compile(layer(engine));
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, numbers(shape, i)]));
  const targets = Int32Array.from({length: rows * length}, (_, i) => (i * 7) % vocabulary);
  const results = await program.run({...feeds, targets});
  const copies = Object.entries(results).map(([name, values]) => [name, Float32Array.from(values)] as const);
  await program.dispose();
  await engine.dispose();
  return Object.fromEntries(copies);
}

/** Of each precision: how far a layer is from plain TFJS, and how far it may be. */
export type Distances = Record<'float32' | 'bfloat16', {found: number; most: number}>;

/** What is wrong in each precision, in words; null where nothing is. A distance that is no number is wrong. */
export function faultsIn(distances: Distances): Record<keyof Distances, string | null> {
  const fault = (precision: keyof Distances) => {
    const {found, most} = distances[precision];
    if (found < most) return null;
    return `a layer in ${precision} is off by ${found.toPrecision(2)} where its arithmetic explains ${most.toPrecision(2)}`;
  };
  return {float32: fault('float32'), bfloat16: fault('bfloat16')};
}

/** The largest distance of any result from the expected one, relative to the norm of all of it. */
export function distance(found: Record<string, Float32Array>, expected: Record<string, Float32Array>): number {
  return Math.max(
    ...Object.entries(expected).map(([name, values]) => {
      const own = found[name]!;
      const difference = values.reduce((sum, value, i) => sum + (value - own[i]!) ** 2, 0);
      return Math.sqrt(difference / values.reduce((sum, value) => sum + value ** 2, 0));
    }),
  );
}
