/** How a fused operation is defined: kernels on the trace, off the tape, with gradients written by hand. */
import * as tf from '@tensorflow/tfjs-core';
import {product, traceKernel} from '../graph/tracing.ts';

export type Tensors = Record<string, tf.Tensor>;

/** One thunk for each input that has a gradient. */
type Gradients = Record<string, () => tf.Tensor>;

/** Runs a fused kernel: on the tape as one operation with the gradients given to `fuse`. */
export function run(kernel: string, inputs: Tensors, attributes: tf.NamedAttrMap = {}): tf.Tensor {
  const result = tf.engine().runKernel(kernel, inputs, attributes) as tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result[0]! : result;
}

/**
 * Defines a fused kernel. `forward` runs on the trace, off the tape; its first result is the value, the others are
 * kept for `backward`, which gives one thunk for each differentiable input.
 */
export function fuse(
  kernel: string,
  inputNames: string[],
  forward: (inputs: Tensors, attributes: Record<string, unknown>) => tf.TensorInfo[],
  kept: number,
  backward: (dy: tf.Tensor, inputs: Tensors, kept: tf.Tensor[], attributes: Record<string, unknown>) => Gradients,
): void {
  traceKernel(kernel, (inputs, attributes) => forward(inputs as Tensors, attributes));
  tf.registerGradient({
    kernelName: kernel,
    inputsToSave: inputNames,
    outputsToSave: Array.from({length: kept + 1}, () => true),
    gradFunc: (dy, saved, attributes) => {
      const inputs = Object.fromEntries(inputNames.map((name, i) => [name, saved[i]!]));
      return backward(Array.isArray(dy) ? dy[0]! : dy, inputs, saved.slice(inputNames.length), attributes);
    },
  });
}

/** Computes a value at its first use and keeps it for the others. */
export function shared<T>(compute: () => T): () => T {
  let value: {of: T} | undefined;
  return () => {
    value ??= {of: compute()};
    return value.of;
  };
}

fuse(
  'ScaledMatMul',
  ['a', 'b'],
  ({a, b}, {transposeA, transposeB, scale}) => [
    product(a!, b!, Boolean(transposeA), Boolean(transposeB), scale as number),
  ],
  0,
  () => {
    throw new Error('A scaled product stands in forward and backward passes of fused operations only.');
  },
);

/** scale · op(a) · op(b), off the tape. */
export function matMul(
  a: tf.Tensor,
  b: tf.Tensor,
  {transposeA = false, transposeB = false, scale = 1} = {},
): tf.Tensor {
  return run('ScaledMatMul', {a, b}, {transposeA, transposeB, scale});
}
