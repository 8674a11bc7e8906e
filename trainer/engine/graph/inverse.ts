/** Inverses of small matrices whose symmetric part is positive definite, as one operation with a gradient of its own. */
import * as tf from '@tensorflow/tfjs-core';
import {traceKernel} from './tracing.ts';

const kernelName = 'MatrixInverse';

/**
 * X⁻¹ of every matrix in X [count, n, n]. There is no pivoting: where the symmetric part of X is at least I, as that of
 * I + K with a skew K, every pivot is at least 1.
 */
export function inverse(X: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel(kernelName, {X}) as tf.Tensor;
}

/**
 * In place, one row after another (Gauss and Jordan): with pivot p, column c and row r of index k, every step is the update
 * X ← X - (c - e_k)(r + e_k)/p.
 */
function eliminate(X: tf.Tensor): tf.Tensor {
  const [count, n] = X.shape as [number, number];
  let left = X;
  for (let k = 0; k < n; k++) {
    const unit = tf.tensor2d(
      Array.from({length: n}, (_, i) => (i === k ? 1 : 0)),
      [1, n],
    );
    const column = tf.slice(left, [0, 0, k], [count, n, 1]);
    const row = tf.slice(left, [0, k, 0], [count, 1, n]);
    const pivot = tf.slice(left, [0, k, k], [count, 1, 1]);
    const change = tf.mul(tf.sub(column, tf.reshape(unit, [n, 1])), tf.div(tf.add(row, unit), pivot));
    left = tf.sub(left, change);
  }
  return left;
}

/** d X⁻¹ = -X⁻¹ dX X⁻¹, from X itself, so that it can be differentiated again. */
export const inverseGradient: tf.GradConfig = {
  kernelName,
  inputsToSave: ['X'],
  gradFunc: (dy, [X]) => ({
    X: () => {
      const Y = inverse(X!);
      return tf.neg(tf.matMul(tf.matMul(Y, dy as tf.Tensor, true), Y, false, true));
    },
  }),
};

traceKernel(kernelName, ({X}) => eliminate(X as tf.Tensor));

/** For a backend that computes: the same operations, run off the tape. */
export function registerInverse(backendName: string): void {
  if (tf.getKernel(kernelName, backendName)) return;
  const kernelFunc: tf.KernelFunc = ({inputs}) => tf.tidy(() => eliminate(inputs['X'] as tf.Tensor));
  tf.registerKernel({kernelName, backendName, kernelFunc});
}
