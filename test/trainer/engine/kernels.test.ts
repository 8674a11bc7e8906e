import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {openEager} from '../../../trainer/engine/eager.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import type {Engine, Tensors} from '../../../trainer/engine/program/engine.ts';
import {random} from '../../../trainer/math/random.ts';

/** Every TFJS operation the trainer's model, losses and optimizers are written in, with its first gradient. */
const operations: Record<string, {shapes: number[][]; f: (...x: tf.Tensor[]) => tf.Tensor; positive?: boolean}> = {
  'add, broadcast': {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    f: (a, b) => tf.add(a!, b!),
  },
  'subtract, broadcast': {
    shapes: [
      [3, 4],
      [2, 3, 4],
    ],
    f: (a, b) => tf.sub(a!, b!),
  },
  'multiply, broadcast': {shapes: [[2, 3, 4], [4]], f: (a, b) => tf.mul(a!, b!)},
  'multiply by a number': {shapes: [[2, 3]], f: a => tf.mul(a!, 3)},
  divide: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    f: (a, b) => tf.div(a!, b!),
    positive: true,
  },
  exp: {shapes: [[2, 3]], f: a => tf.exp(a!)},
  log: {shapes: [[2, 3]], f: a => tf.log(a!), positive: true},
  sqrt: {shapes: [[2, 3]], f: a => tf.sqrt(a!), positive: true},
  rsqrt: {shapes: [[2, 3]], f: a => tf.rsqrt(a!), positive: true},
  square: {shapes: [[2, 3]], f: a => tf.square(a!)},
  sigmoid: {shapes: [[2, 3]], f: a => tf.sigmoid(a!)},
  tanh: {shapes: [[2, 3]], f: a => tf.tanh(a!)},
  negate: {shapes: [[2, 3]], f: a => tf.neg(a!)},
  softmax: {shapes: [[2, 3, 5]], f: a => tf.softmax(a!)},
  'sum of the last axis, kept': {shapes: [[2, 3, 5]], f: a => tf.sum(a!, -1, true)},
  'sum of axis 1': {shapes: [[2, 3, 5]], f: a => tf.sum(a!, 1)},
  mean: {shapes: [[2, 3, 5]], f: a => tf.mean(a!, -1, true)},
  max: {shapes: [[2, 3, 5]], f: a => tf.max(a!, -1, true)},
  reshape: {shapes: [[2, 3, 4]], f: a => tf.reshape(a!, [6, -1])},
  'expand dims': {shapes: [[2, 3]], f: a => tf.expandDims(a!, 1)},
  transpose: {shapes: [[2, 3, 4, 5]], f: a => tf.transpose(a!, [0, 2, 1, 3])},
  concat: {
    shapes: [
      [2, 3],
      [2, 5],
    ],
    f: (a, b) => tf.concat([a!, b!], -1),
  },
  'the largest of the last axis, by its index': {
    shapes: [[2, 3, 5]],
    f: a => {
      const index = tf.cast(tf.expandDims(tf.argMax(a!, -1), -1), 'float32');
      return tf.mul(tf.square(a!), tf.cast(tf.equal(index, tf.tensor([0, 1, 2, 3, 4])), 'float32'));
    },
  },
  pad: {
    shapes: [[3, 2]],
    f: a =>
      tf.pad(a!, [
        [0, 1],
        [1, 0],
      ]),
  },
  slice: {shapes: [[5, 4]], f: a => tf.slice(a!, [1, 2], [3, 2])},
  split: {
    shapes: [[2, 6]],
    f: a => {
      const [first, second] = tf.split(a!, [2, 4], 1);
      return tf.concat([second!, tf.mul(first!, 2)], 1);
    },
  },
  'gather with a repeated row': {shapes: [[5, 3]], f: a => tf.gather(a!, tf.tensor([4, 0, 4], [3], 'int32'))},
  'matrix product': {
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    f: (a, b) => tf.matMul(a!, b!),
  },
  'matrix product, b transposed': {
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    f: (a, b) => tf.matMul(a!, b!, false, true),
  },
  'matrix product, a transposed': {
    shapes: [
      [4, 3],
      [4, 5],
    ],
    f: (a, b) => tf.matMul(a!, b!, true, false),
  },
  'matrix product, both transposed': {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    f: (a, b) => tf.matMul(a!, b!, true, true),
  },
  where: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    f: (a, b) => tf.where(tf.greater(a!, b!), tf.square(a!), b!),
  },
};

async function valueAndGradients(engine: Engine, name: string): Promise<Record<string, Float32Array>> {
  const {shapes, f, positive} = operations[name]!;
  const draws = random('kernels', name);
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, {shape, dtype: 'float32' as const}]));
  const weigh = (y: tf.Tensor) => {
    const weights = random('weights', name).uniform(y.size, 0.5, 1.5);
    return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
  };
  const program = await engine.compile({
    inputs,
    state: {},
    body: (tensors: Tensors) => {
      const x = shapes.map((_, i) => tensors[`x${i}`]!);
      const {value, grads} = tf.valueAndGrads((...args: tf.Tensor[]) => weigh(f(...args)) as tf.Scalar)(x);
      return {value: tf.reshape(value, [1]), ...Object.fromEntries(grads.map((g, i) => [`g${i}`, tf.mul(g, 1)]))};
    },
  });
  const feeds = shapes.map((shape, i) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [`x${i}`, draws.uniform(size, positive ? 0.5 : -1, 1.5)] as const;
  });
  const results = await program.run(Object.fromEntries(feeds));
  return Object.fromEntries(Object.entries(results).map(([key, values]) => [key, Float32Array.from(values)]));
}

describe('traced operations give the same values and gradients as TFJS on its own', () => {
  for (const name of Object.keys(operations))
    it(name, async () => {
      const reference = await valueAndGradients(await openEager('cpu'), name);
      const traced = await valueAndGradients(openCompiled({threads: 1}), name);
      expect(Object.keys(traced).sort()).toEqual(Object.keys(reference).sort());
      for (const [key, values] of Object.entries(reference))
        values.forEach((value, i) => {
          // float32 sums of at most 64 terms of size about 4, in another order
          expect(Math.abs(traced[key]![i]! - value)).toBeLessThan(64 * 4 * 2 ** -23);
        });
    });
});

describe('gradients can be differentiated again', () => {
  /** Gradient of the weighed sum, and the product of its Hessian with `direction`, at x. */
  async function secondOrder(engine: Engine, name: string, x: Float32Array[], direction: Float32Array[]) {
    const {shapes, f} = operations[name]!;
    const spec = (prefix: string) =>
      shapes.map((shape, i) => [`${prefix}${i}`, {shape, dtype: 'float32' as const}] as const);
    const weigh = (y: tf.Tensor) => {
      const weights = random('weights', name).uniform(y.size, 0.5, 1.5);
      return tf.sum(tf.mul(tf.square(y), tf.tensor(weights, y.shape)));
    };
    const program = await engine.compile({
      inputs: Object.fromEntries([...spec('x'), ...spec('v')]),
      state: {},
      body: (tensors: Tensors) => {
        const at = (prefix: string) => shapes.map((_, i) => tensors[`${prefix}${i}`]!);
        const gradient = (...point: tf.Tensor[]) => tf.grads((...args: tf.Tensor[]) => weigh(f(...args)))(point);
        const along = (...point: tf.Tensor[]) =>
          gradient(...point)
            .map((g, i) => tf.sum(tf.mul(g, at('v')[i]!)))
            .reduce((sum, part) => tf.add(sum, part));
        const products = tf.grads(along)(at('x'));
        const flat = (parts: tf.Tensor[]) => tf.concat(parts.map(part => tf.reshape(tf.mul(part, 1), [-1])));
        return {gradient: flat(gradient(...at('x'))), product: flat(products)};
      },
    });
    const feed = (prefix: string, values: Float32Array[]) =>
      values.map((value, i) => [`${prefix}${i}`, value] as const);
    const {gradient, product} = await program.run(Object.fromEntries([...feed('x', x), ...feed('v', direction)]));
    return {gradient: Float32Array.from(gradient!), product: Float32Array.from(product!)};
  }

  for (const [name, {shapes, positive}] of Object.entries(operations))
    it(name, async () => {
      const draws = random('second', name);
      const sizes = shapes.map(shape => shape.reduce((product, length) => product * length, 1));
      const x = sizes.map(size => draws.uniform(size, positive ? 0.5 : -1, 1.5));
      const v = sizes.map(size => draws.uniform(size, -1, 1));
      const step = 1 / 512;
      const moved = (sign: number) => x.map((part, i) => part.map((value, k) => value + sign * step * v[i]![k]!));
      for (const engine of [await openEager('cpu'), openCompiled({threads: 1})]) {
        const {product} = await secondOrder(engine, name, x, v);
        const ahead = await secondOrder(engine, name, moved(1), v);
        const behind = await secondOrder(engine, name, moved(-1), v);
        const scale = Math.max(1, ...product.map(Math.abs));
        product.forEach((value, i) => {
          const difference = (ahead.gradient[i]! - behind.gradient[i]!) / (2 * step);
          // Rounding of the gradients (about 30 · 2⁻²³ · 512 / 2) and the third derivative (· step²) bound the difference.
          expect(Math.abs(difference - value)).toBeLessThan(4e-3 * scale);
        });
      }
    });
});
