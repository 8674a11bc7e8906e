import * as tf from '@tensorflow/tfjs-core';
import {type Computation, uniform, whole} from './method.ts';
import {lengths} from './peft-format.ts';

/**
 * LoHa (Hyeon-Woo et al. 2021, there FedPara): W + s·(B₁·A₁) ∘ (B₂·A₂). As in PEFT all factors but A₂ = 0 are drawn
 * uniformly, each in ±1/√ of its own number of columns.
 */
export const loha: Computation = {
  async init(context) {
    const {
      site: {inputs, outputs},
      form: {rank},
      random,
    } = context;
    const bound = 1 / Math.sqrt(rank);
    return {
      B1: random.uniform(outputs * rank, -bound, bound),
      A1: uniform(rank * inputs, context),
      B2: random.uniform(outputs * rank, -bound, bound),
      A2: new Float32Array(rank * inputs),
    };
  },
  apply(_, x, W, {own}, {scale}) {
    const update = tf.mul(tf.matMul(own['B1']!, own['A1']!), tf.matMul(own['B2']!, own['A2']!));
    return whole(x, tf.add(W, tf.mul(update, scale)));
  },
  peft: {
    peftType: 'LOHA',
    names: {B1: 'hada_w1_a', A1: 'hada_w1_b', B2: 'hada_w2_a', A2: 'hada_w2_b'},
    optional: [],
    shared: {},
    shapes: (parts, {rank}) =>
      lengths(parts, (part, length) => (part.startsWith('A') ? [rank, length / rank] : [length / rank, rank])),
    rankKey: 'r',
    alphaKey: 'alpha',
    without: ['bias', 'fan_in_fan_out'],
    options: () => ({}),
    config: ({rank}, alpha) => ({
      alpha,
      alpha_pattern: {},
      module_dropout: 0,
      r: rank,
      rank_dropout: 0,
      rank_pattern: {},
      use_effective_conv2d: false,
    }),
  },
};
