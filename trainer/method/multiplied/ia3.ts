import * as tf from '@tensorflow/tfjs-core';
import {feedsForward} from '../../../core/method/each/multiplied/ia3.ts';
import type {Computation} from '../method.ts';

/** IA³ (Liu et al. 2022): l ∘ (W·x), or W·(l ∘ x) behind the activation; l [outputs, 1] or [1, inputs], as PEFT has it. */
export const ia3: Computation = {
  init: async ({site: {name, inputs, outputs}}) => ({
    l: new Float32Array(feedsForward(name) ? inputs : outputs).fill(1),
  }),
  apply(macros, x, W, {own}) {
    const l = own['l']!;
    const scale = tf.reshape(l, [l.shape[0]!, 1, -1]);
    return l.shape[1] === 1 ? macros.linear(tf.mul(x, scale), W) : tf.mul(macros.linear(x, W), scale);
  },
  peft: {
    peftType: 'IA3',
    names: {l: 'ia3_l'},
    optional: [],
    shared: {},
    rankKey: null,
    alphaKey: null,
    without: ['bias', 'init_weights'],
    options: () => ({}),
    config: (_form, _alpha, targets) => ({feedforward_modules: targets.filter(feedsForward), init_ia3_weights: true}),
  },
};
