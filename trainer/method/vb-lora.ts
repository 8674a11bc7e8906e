import * as tf from '@tensorflow/tfjs-core';
import {random} from '../math/random.ts';
import type {Computation} from './method.ts';

/** Standard deviation of the logits at the start, and bounds of the bank's numbers. */
const [deviation, bound] = [0.1, 0.02];
/** Takes a logit out of a softmax. */
const out = 1e9;

/**
 * VB-LoRA (Li et al. 2024): W·x + B·A·x, where A and B are cut into pieces of `vector_length` numbers. Each piece is Σ
 * softmax(its `topk` largest logits)·vector over the bank [num_vectors, vector_length] that all sites share and train. Logits are A
 * [rank, inputs / length, vectors] and B [outputs / length, rank, vectors], as in PEFT.
 */
export const vbLora: Computation = {
  draw(shapes, _, seed) {
    const [vectors, length] = shapes['bank'] as [number, number];
    return {bank: random(seed, 'vb-lora', 'bank').uniform(vectors * length, -bound, bound)};
  },
  async init({site: {inputs, outputs}, form: {rank, options}, random: numbers}) {
    const {num_vectors: vectors, vector_length: length} = options;
    const logits = (pieces: number) =>
      Float32Array.from(numbers.normal(rank * pieces * vectors!), value => deviation * value);
    return {A: logits(inputs / length!), B: logits(outputs / length!)};
  },
  apply(macros, x, W, {own, shared}, {rank, options}) {
    const [outputs, inputs] = W.shape as [number, number];
    const trials = x.shape[0]!;
    const {vector_length: length, topk} = options;
    const mixed = (logits: tf.Tensor) => {
      const vectors = logits.shape.at(-1)!;
      return tf.matMul(tf.reshape(weightsOf(logits, topk!), [trials, -1, vectors]), shared['bank']!);
    };
    const A = tf.reshape(mixed(own['A']!), [trials, rank, inputs]);
    const pieces = tf.reshape(mixed(own['B']!), [trials, outputs / length!, rank, length!]);
    const B = tf.reshape(tf.transpose(pieces, [0, 1, 3, 2]), [trials, outputs, rank]);
    return macros.lowRank(x, W, {A, B}, 1);
  },
  peft: {
    peftType: 'VBLORA',
    names: {A: 'vblora_logits_A', B: 'vblora_logits_B'},
    optional: [],
    shared: {bank: 'vblora_vector_bank'},
    rankKey: 'r',
    alphaKey: null,
    without: ['init_weights'],
    options: ({topk}, {A, B}, {bank}) => ({
      num_vectors: A?.[2] ?? B?.[2] ?? 0,
      vector_length: bank?.[1] ?? 0,
      topk: typeof topk === 'number' ? topk : 2,
    }),
    config: ({rank, options}) => ({
      init_logits_std: deviation,
      init_vector_bank_bound: bound,
      num_vectors: options['num_vectors']!,
      r: rank,
      save_only_topk_weights: false,
      topk: options['topk']!,
      vblora_dropout: 0,
      vector_length: options['vector_length']!,
    }),
  },
};

/** softmax over the `count` largest of the last axis; of equal ones the first is taken. All others weigh nothing. */
function weightsOf(logits: tf.Tensor, count: number): tf.Tensor {
  const vectors = logits.shape.at(-1)!;
  // As float32: gradients pass comparisons, of which that of an integer would be one.
  const numbers = tf.tensor(
    Float32Array.from({length: vectors}, (_, i) => i),
    [vectors],
  );
  let left = logits;
  let chosen: tf.Tensor | undefined;
  for (let k = 0; k < count; k++) {
    const index = tf.cast(tf.expandDims(tf.argMax(left, -1), -1), 'float32');
    const largest = tf.cast(tf.equal(index, numbers), 'float32');
    chosen = chosen ? tf.add(chosen, largest) : largest;
    left = tf.sub(left, tf.mul(largest, out));
  }
  return tf.softmax(tf.add(logits, tf.mul(tf.sub(chosen!, 1), out)));
}
