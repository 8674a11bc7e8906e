/** What a projection does to the identity is its weight, whatever is added to it: the way adapters are merged. */
import * as tf from '@tensorflow/tfjs-core';
import {composite, rowNorms} from './composite.ts';
import type {Macros} from './macros.ts';

/** The plain macros, but a product with the identity is not multiplied out. */
export function ofIdentity(identity: tf.Tensor): Macros {
  const linear: Macros['linear'] = (x, W) =>
    x === identity ? tf.expandDims(tf.transpose(W), 0) : composite.linear(x, W);
  const lowRank: Macros['lowRank'] = (x, W, factors, scale) => {
    if (x !== identity) return composite.lowRank(x, W, factors, scale);
    const update = ({A, B}: {A: tf.Tensor; B: tf.Tensor}) => tf.mul(tf.matMul(A, B, true, true), scale);
    const y = tf.add(linear(x, W), update(factors));
    return factors.start ? tf.sub(y, update(factors.start)) : y;
  };
  const decomposed: Macros['decomposed'] = (x, W, factors, magnitude, scale) => {
    const gain = tf.div(magnitude, rowNorms(W, factors, scale));
    return tf.mul(lowRank(x, W, factors, scale), tf.expandDims(gain, 1));
  };
  return {...composite, linear, lowRank, decomposed};
}

let known: {size: number; values: Float32Array} | undefined;

/** The last one is kept: neighbouring projections have the same inputs. */
export function identityMatrix(size: number): Float32Array {
  if (known?.size === size) return known.values;
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  known = {size, values};
  return values;
}
