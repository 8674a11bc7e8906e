/** The macros in plain TFJS operations: they run on every backend and can be differentiated twice. */
import * as tf from '@tensorflow/tfjs-core';
import type {Activation, Factors, Macros, Scores} from './macros.ts';

function linear(x: tf.Tensor, W: tf.Tensor): tf.Tensor {
  const leading = x.shape.slice(0, -1);
  const flat = tf.reshape(x, [-1, x.shape.at(-1)!]);
  return tf.reshape(tf.matMul(flat, W as tf.Tensor2D, false, true), [...leading, W.shape[0]!]);
}

/** s · x·Aᵀ·Bᵀ for each trial. */
function throughFactors(x: tf.Tensor, A: tf.Tensor, B: tf.Tensor, scale: number): tf.Tensor {
  return tf.mul(tf.matMul(tf.matMul(x, A, false, true), B, false, true), scale);
}

function lowRank(x: tf.Tensor, W: tf.Tensor, {A, B, start}: Factors, scale: number): tf.Tensor {
  const y = tf.add(linear(x, W), throughFactors(x, A, B, scale));
  return start ? tf.sub(y, throughFactors(x, start.A, start.B, scale)) : y;
}

/** A tensor the gradient does not pass. */
const detached = tf.customGrad(x => {
  const value = x as tf.Tensor;
  return {value: tf.clone(value), gradFunc: () => tf.zerosLike(value)};
});

/** ‖W + s·B·A‖ per output row: [trials, out]. */
export function rowNorms(W: tf.Tensor, {A, B}: Factors, scale: number): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(tf.add(W, tf.mul(tf.matMul(B, A), scale))), -1));
}

function decomposed(x: tf.Tensor, W: tf.Tensor, factors: Factors, magnitude: tf.Tensor, scale: number): tf.Tensor {
  const gain = tf.div(magnitude, detached(rowNorms(W, factors, scale)));
  return tf.mul(lowRank(x, W, factors, scale), tf.expandDims(gain, 1));
}

function rmsNorm(x: tf.Tensor, w: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), w);
}

function rotary(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.concat(
    [tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))],
    -1,
  );
}

/** c · tanh(x / c) */
export const capped = (x: tf.Tensor, cap: number): tf.Tensor => tf.mul(tf.tanh(tf.div(x, cap)), cap);

function attention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor, {scale, cap}: Scores): tf.Tensor {
  const products = tf.mul(tf.matMul(q, k, false, true), scale);
  const scores = tf.add(cap === null ? products : capped(products, cap), mask);
  return tf.matMul(tf.softmax(scores), v);
}

const rotaryAt: Macros['rotaryAt'] = (x, cos, sin, row) => {
  const angle = (table: tf.Tensor) => tf.reshape(tf.gather(table, row as tf.Tensor1D), [x.shape[0]!, 1, 1, -1]);
  return rotary(x, angle(cos), angle(sin));
};

/** Large enough to vanish in a softmax, small enough to stay finite in every format. */
export const masked = -1e9;

/** The whole cache is written anew, with the new positions by masks. */
const cached: Macros['cached'] = (q, k, v, cache, position, {window, ...scores}) => {
  const [sequences, kvHeads, room, size] = cache.k.shape as [number, number, number, number];
  const slots = (shape: number[]) =>
    tf.tensor(
      Int32Array.from({length: room}, (_, i) => i),
      shape,
      'int32',
    );
  const own = tf.reshape(position, [sequences, 1, 1, 1]);
  const here = tf.cast(tf.equal(slots([1, 1, room, 1]), own), 'float32');
  const elsewhere = tf.sub(1, here);
  const join = (before: tf.Tensor, x: tf.Tensor) => tf.add(tf.mul(before, elsewhere), tf.mul(x, here));
  const [keys, values] = [join(cache.k, k), join(cache.v, v)];
  const slot = slots([1, 1, 1, room]);
  const late = tf.cast(tf.greater(slot, own), 'float32');
  const early = window === null ? late : tf.add(late, tf.cast(tf.lessEqual(slot, tf.sub(own, window)), 'float32'));
  const grouped = tf.reshape(q, [sequences, kvHeads, -1, size]);
  const y = attention(grouped, keys, values, tf.mul(early, masked), scores);
  return {y: tf.reshape(y, q.shape), k: keys, v: values};
};

/** SiLU: x σ(x). GELU (tanh): ½x (1 + tanh(√(2/π) (x + 0.044715 x³))), Hendrycks & Gimpel 2016. */
export function activate(x: tf.Tensor, activation: Activation): tf.Tensor {
  if (activation === 'silu') return tf.mul(x, tf.sigmoid(x));
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/** log Σ exp written with the maximum taken out, so that it neither overflows nor loses its second derivative. */
function crossEntropy(h: tf.Tensor, E: tf.Tensor, targets: tf.Tensor, cap: number | null): tf.Tensor {
  const products = tf.matMul(h as tf.Tensor2D, E as tf.Tensor2D, false, true);
  const logits = cap === null ? products : capped(products, cap);
  const largest = tf.max(logits, -1, true);
  const shifted = tf.sub(logits, detached(largest));
  const vocabulary = Int32Array.from({length: E.shape[0]!}, (_, id) => id);
  const chosen = tf.cast(
    tf.equal(tf.expandDims(targets, 1), tf.tensor(vocabulary, [1, vocabulary.length], 'int32')),
    'float32',
  );
  return tf.sub(tf.log(tf.sum(tf.exp(shifted), -1)), tf.sum(tf.mul(shifted, chosen), -1));
}

/** The norm is part of the function: its true second derivatives, not those of the training gradient. */
function decomposedThroughout(
  x: tf.Tensor,
  W: tf.Tensor,
  factors: Factors,
  magnitude: tf.Tensor,
  scale: number,
): tf.Tensor {
  const gain = tf.div(magnitude, rowNorms(W, factors, scale));
  return tf.mul(lowRank(x, W, factors, scale), tf.expandDims(gain, 1));
}

export const composite: Macros = {
  checkpoint: x => x,
  linear,
  lowRank,
  decomposed,
  rmsNorm,
  rotary,
  rotaryAt,
  attention,
  cached,
  gated: (gate, up, activation) => tf.mul(activate(gate, activation), up),
  rows: (x, indices) => tf.gather(x, indices as tf.Tensor1D),
  rearranged: (x, from) => tf.gather(x, from as tf.Tensor1D),
  crossEntropy,
};

/** The same with nothing held constant, for Hessians. */
export const exact: Macros = {...composite, decomposed: decomposedThroughout};
