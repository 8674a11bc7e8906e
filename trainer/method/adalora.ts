import * as tf from '@tensorflow/tfjs-core';
import {initialRank} from '../../core/method/each/adalora.ts';
import type {Computation} from './method.ts';

/** Standard deviation of A and B at the start. */
const deviation = 0.02;
/** Keys of the configuration that are the method's own, and the steps of its training. */
const own = ['init_r', 'tinit', 'tfinal', 'deltaT', 'beta1', 'beta2', 'orth_reg_weight', 'total_step'];
/** What PEFT adds to the number of triplets that it divides by. */
const tiny = 1e-5;

/**
 * AdaLoRA (Zhang et al. 2023) as PEFT has it: W·x + alpha / (init_r + 1e-5)·B·(E ∘ (A·x)) with A [init_r, inputs], E [init_r,
 * 1] and B [outputs, init_r]. Which triplets are left is decided between steps (step/allocation.ts); of those that are not E
 * is zero.
 */
export const adalora: Computation = {
  async init({site: {inputs, outputs}, form, random}) {
    const rows = initialRank(form);
    const drawn = (count: number) => Float32Array.from(random.normal(count), value => deviation * value);
    return {A: drawn(rows * inputs), E: new Float32Array(rows), B: drawn(outputs * rows)};
  },
  apply(macros, x, W, {own: {A, E, B}}, form) {
    const narrow = tf.matMul(x, tf.mul(A!, E!), false, true);
    const alpha = form.scale * form.rank;
    const update = tf.mul(tf.matMul(narrow, B!, false, true), alpha / (initialRank(form) + tiny));
    return tf.add(macros.linear(x, W), update);
  },
  peft: {
    peftType: 'ADALORA',
    names: {A: 'lora_A', E: 'lora_E', B: 'lora_B'},
    optional: [],
    shared: {},
    rankKey: 'target_r',
    alphaKey: 'lora_alpha',
    options: (config, {E}) => {
      const given = own.flatMap(key => (typeof config[key] === 'number' ? [[key, config[key]] as const] : []));
      return {...Object.fromEntries(given), kept: E?.[0] ?? 0};
    },
    config: (form, alpha) => ({
      alpha_pattern: {},
      lora_alpha: alpha,
      lora_dropout: 0,
      r: form.rank,
      rank_pattern: null,
      target_r: form.rank,
      // PEFT wants to know how long it was trained.
      ...Object.fromEntries(own.map(key => [key, form.options[key] ?? 1])),
      init_r: initialRank(form),
    }),
  },
};
