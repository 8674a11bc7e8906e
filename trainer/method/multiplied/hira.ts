import * as tf from '@tensorflow/tfjs-core';
import {lora} from '../lora.ts';
import {type Computation, whole} from '../method.ts';
import {pairLengths} from '../peft-format.ts';

/** HiRA (Huang et al. 2025): W + W ∘ (B·A) with LoRA's start, not scaled by alpha. */
export const hira: Computation = {
  init: lora.init,
  apply: (_, x, W, {own}) => whole(x, tf.add(W, tf.mul(tf.matMul(own['B']!, own['A']!), W))),
  peft: {
    peftType: 'HIRA',
    names: {A: 'hira_A', B: 'hira_B'},
    optional: [],
    shared: {},
    shapes: pairLengths,
    rankKey: 'r',
    alphaKey: null,
    options: () => ({}),
    config: ({rank}) => ({hira_dropout: 0, r: rank, rank_pattern: {}}),
  },
};
