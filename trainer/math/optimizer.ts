/**
 * Optimizers over flat parameters [trials, size], written once in tensor operations: `init` names the moments they
 * keep, `update` gives the new parameters and moments.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {OptimizerSettings} from '../../core/sweep/sweep.ts';

export interface Update {
  parameters: tf.Tensor;
  moments: Record<string, tf.Tensor>;
}

export interface Optimizer {
  /** Names of the moments, each shaped like the parameters and zero at first. */
  moments: string[];
  /** `rate` [trials, 1], or [trials, size] where not all parameters have the same; `corrections` [2]: 1 - β₁ᵗ and 1 - β₂ᵗ of this update. */
  update(
    parameters: tf.Tensor,
    gradient: tf.Tensor,
    moments: Record<string, tf.Tensor>,
    rate: tf.Tensor,
    corrections: tf.Tensor,
  ): Update;
}

/** Weight decay's part: one function of the first `decayed` parameters of [trials, size], another of the rest. */
function decaying(
  parameters: tf.Tensor,
  decayed: number,
  ofDecayed: (part: tf.Tensor) => tf.Tensor,
  ofRest: (part: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const rest = parameters.shape[1]! - decayed;
  if (rest === 0) return ofDecayed(parameters);
  const [first, last] = tf.split(parameters, [decayed, rest], 1) as [tf.Tensor, tf.Tensor];
  return tf.concat([ofDecayed(first), ofRest(last)], 1);
}

/** AdamW (Loshchilov & Hutter 2019) as PyTorch computes it: decay first, ε added to √v̂. */
function adamw({betas: [beta1, beta2], eps}: OptimizerSettings, weightDecay: number, decayed: number): Optimizer {
  return {
    moments: ['first', 'second'],
    update(parameters, gradient, {first, second}, rate, corrections) {
      const [correction1, correction2] = tf.split(corrections, 2) as [tf.Tensor, tf.Tensor];
      const m = tf.add(tf.mul(first!, beta1), tf.mul(gradient, 1 - beta1));
      const v = tf.add(tf.mul(second!, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      const direction = tf.div(m, tf.add(tf.sqrt(tf.div(v, correction2)), eps));
      const shrinkage = tf.sub(1, tf.mul(rate, weightDecay));
      const before =
        weightDecay === 0
          ? parameters
          : decaying(
              parameters,
              decayed,
              part => tf.mul(part, shrinkage),
              part => part,
            );
      return {
        parameters: tf.sub(before, tf.mul(direction, tf.div(rate, correction1))),
        moments: {first: m, second: v},
      };
    },
  };
}

/** Stochastic gradient descent with momentum and L2 decay, as PyTorch's SGD. */
function sgd({momentum}: OptimizerSettings, weightDecay: number, decayed: number): Optimizer {
  const decayOf = (parameters: tf.Tensor) =>
    decaying(
      parameters,
      decayed,
      part => tf.mul(part, weightDecay),
      part => tf.zerosLike(part),
    );
  return {
    moments: momentum === 0 ? [] : ['first'],
    update(parameters, gradient, {first}, rate) {
      const g = weightDecay === 0 ? gradient : tf.add(gradient, decayOf(parameters));
      const m = first ? tf.add(tf.mul(first, momentum), g) : g;
      return {parameters: tf.sub(parameters, tf.mul(m, rate)), moments: first ? {first: m} : {}};
    },
  };
}

/** @param decayed how many of the parameters, from the first on, weight decay applies to */
export function optimizerOf(settings: OptimizerSettings, weightDecay: number, decayed: number): Optimizer {
  return (settings.name === 'adamw' ? adamw : sgd)(settings, weightDecay, decayed);
}
