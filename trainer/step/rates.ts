/** LoRA+ (Hayou et al. 2024, §4): B is trained at a multiple of A's learning rate. */
import * as tf from '@tensorflow/tfjs-core';
import type {Layout} from '../adaptation/layout.ts';
import type {Form} from '../method/form.ts';

type Options = Pick<Form, 'options'>;

/**
 * What a tensor's learning rate is relative to the trial's. What a method trains beside A and B, such as DoRA's magnitude,
 * has B's rate, as in PEFT's `create_loraplus_optimizer`.
 */
export function rateRatio(part: string, {options}: Options): number {
  return part === 'A' ? 1 : (options['b_rate_ratio'] ?? 1);
}

/** The learning rate of each number [trials, size] from the trials' [trials, 1], which is returned where it is that of all. */
export function ratesOf(rate: tf.Tensor, {pieces}: Pick<Layout, 'pieces'>, form: Options): tf.Tensor {
  if (pieces.every(({part}) => rateRatio(part, form) === 1)) return rate;
  const parts = pieces.map(({part, size}) => tf.tile(tf.mul(rate, rateRatio(part, form)), [1, size]));
  return tf.concat(parts, 1);
}
