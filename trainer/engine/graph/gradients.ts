/**
 * The gradient of every kernel the trainer uses, each one differentiable again. TFJS's own gradients of softmax,
 * sigmoid, exp, mean, ... save the kernel's output, which carries no tape to its input: second derivatives lose a term
 * silently (tensorflow/tfjs#3252). Here they are written from the inputs alone.
 */
import * as tf from '@tensorflow/tfjs-core';
import {inverseGradient} from './inverse.ts';

/** One thunk for each input that has a gradient. */
type Gradients = Record<string, () => tf.Tensor>;
type Gradient = (dy: tf.Tensor, saved: tf.Tensor[], attributes: Record<string, unknown>) => Gradients;

const configs = new Map<string, tf.GradConfig>([[inverseGradient.kernelName, inverseGradient]]);

/**
 * Registers the gradients with TFJS, over any it has. To be called when an engine opens: loading a TFJS package
 * registers TFJS's own.
 */
export function registerGradients(): void {
  for (const [kernelName, config] of configs) {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
    tf.registerGradient(config);
  }
}

function register(kernelName: string, inputsToSave: string[], gradFunc: Gradient): void {
  configs.set(kernelName, {
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) => gradFunc(dy as tf.Tensor, saved, attributes),
  });
}

/**
 * Sums dy over the axes along which `x` was broadcast. Never dy itself: two inputs may get it, and TFJS disposes of a
 * gradient once another one is added to it.
 */
function unbroadcast(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const missing = dy.rank - x.rank;
  const axes = dy.shape.flatMap((size, i) => (i < missing || (x.shape[i - missing] === 1 && size !== 1) ? [i] : []));
  return axes.length === 0 ? tf.clone(dy) : tf.reshape(tf.sum(dy, axes), x.shape);
}

for (const comparison of ['Greater', 'GreaterEqual', 'Equal'])
  register(comparison, ['a', 'b'], (_, [a, b]) => ({a: () => tf.zerosLike(a!), b: () => tf.zerosLike(b!)}));
// An index does not move.
register('ArgMax', ['x'], (_, [x]) => ({x: () => tf.zerosLike(x!)}));
register('ZerosLike', [], dy => ({x: () => tf.zerosLike(dy)}));
register('Identity', [], dy => ({x: () => dy}));
register('Cast', [], dy => ({x: () => dy}));
register('Neg', [], dy => ({x: () => tf.neg(dy)}));
register('Add', ['a', 'b'], (dy, [a, b]) => ({a: () => unbroadcast(dy, a!), b: () => unbroadcast(dy, b!)}));
register('Sub', ['a', 'b'], (dy, [a, b]) => ({a: () => unbroadcast(dy, a!), b: () => unbroadcast(tf.neg(dy), b!)}));
register('Multiply', ['a', 'b'], (dy, [a, b]) => ({
  a: () => unbroadcast(tf.mul(dy, b!), a!),
  b: () => unbroadcast(tf.mul(dy, a!), b!),
}));
register('RealDiv', ['a', 'b'], (dy, [a, b]) => ({
  a: () => unbroadcast(tf.div(dy, b!), a!),
  b: () => unbroadcast(tf.neg(tf.div(tf.mul(dy, a!), tf.square(b!))), b!),
}));
register('Square', ['x'], (dy, [x]) => ({x: () => tf.mul(dy, tf.mul(x!, 2))}));
register('Log', ['x'], (dy, [x]) => ({x: () => tf.div(dy, x!)}));
register('Reshape', ['x'], (dy, [x]) => ({x: () => tf.reshape(dy, x!.shape)}));
register('ExpandDims', ['input'], (dy, [input]) => ({input: () => tf.reshape(dy, input!.shape)}));
register('Transpose', [], (dy, _, {perm}) => ({
  x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm as number[])),
}));
register('Slice', ['x'], (dy, [x], {begin}) => ({
  x: () => {
    const starts = begin as number[];
    return tf.pad(
      dy,
      starts.map((start, axis): [number, number] => [start, x!.shape[axis]! - start - dy.shape[axis]!]),
    );
  },
}));
register('PadV2', ['x'], (dy, [x], {paddings}) => ({
  x: () =>
    tf.slice(
      dy,
      (paddings as [number, number][]).map(([before]) => before),
      x!.shape,
    ),
}));

/** Pieces of a split come back together. */
configs.set('SplitV', {
  kernelName: 'SplitV',
  gradFunc: (dy, _, attributes) => ({
    // TFJS hands over the piece itself where there is but one.
    x: () => (Array.isArray(dy) ? tf.concat(dy, attributes['axis'] as unknown as number) : tf.clone(dy)),
  }),
});

/** Concatenated tensors get their own part of dy. */
configs.set('Concat', {
  kernelName: 'Concat',
  saveAllInputs: true,
  gradFunc: (dy, saved, attributes) => {
    const axis = tf.util.parseAxisParam(attributes['axis'] as unknown as number, saved[0]!.shape)[0]!;
    const sizes = saved.map(tensor => tensor.shape[axis]!);
    return Object.fromEntries(saved.map((_, i) => [i, () => tf.split(dy as tf.Tensor, sizes, axis)[i]!]));
  },
});

/** x [..., rows, columns] with all but its last axis in one. */
const flat = (x: tf.Tensor): tf.Tensor => (x.rank === 2 ? x : tf.reshape(x, [-1, x.shape.at(-1)!]));

/** d(op(a)·op(b)); leading axes of both are equal, or b is one matrix for all of a's rows. */
register('BatchMatMul', ['a', 'b'], (dy, [a, b], {transposeA, transposeB}) => ({
  a: () => (transposeA ? tf.matMul(b!, dy, Boolean(transposeB), true) : tf.matMul(dy, b!, false, !transposeB)),
  b: () => {
    if (a!.rank > b!.rank) {
      if (transposeA) throw new Error('A shared matrix is differentiated behind plain rows only.');
      const [rows, changes] = [flat(a!), flat(dy)];
      return transposeB ? tf.matMul(changes, rows, true, false) : tf.matMul(rows, changes, true, false);
    }
    return transposeB ? tf.matMul(dy, a!, true, Boolean(transposeA)) : tf.matMul(a!, dy, !transposeA, false);
  },
}));

/** Either branch gets dy where it was taken. */
register('Select', ['condition'], (dy, [condition]) => {
  const taken = () => tf.cast(condition!, 'float32');
  return {
    condition: () => tf.zeros(condition!.shape),
    t: () => tf.mul(dy, taken()),
    e: () => tf.mul(dy, tf.sub(1, taken())),
  };
});

/** dy of a reduction, with the reduced axes back as 1. */
function unreduced(dy: tf.Tensor, x: tf.Tensor, axis: unknown): {dy: tf.Tensor; count: number; axes: number[]} {
  const axes = tf.util.parseAxisParam(axis as number[], x.shape);
  const shape = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return {dy: tf.reshape(dy, shape), count: axes.reduce((product, i) => product * x.shape[i]!, 1), axes};
}

/** d exp = exp(x) dx */
register('Exp', ['x'], (dy, [x]) => ({x: () => tf.mul(dy, tf.exp(x!))}));

/** d √x = dx / (2√x) */
register('Sqrt', ['x'], (dy, [x]) => ({x: () => tf.div(dy, tf.mul(tf.sqrt(x!), 2))}));

/** d x^-½ = -½ x^-3/2 dx */
register('Rsqrt', ['x'], (dy, [x]) => ({
  x: () => {
    const root = tf.rsqrt(x!);
    return tf.mul(dy, tf.mul(tf.mul(tf.mul(root, root), root), -0.5));
  },
}));

/** d σ = σ(1 - σ) dx */
register('Sigmoid', ['x'], (dy, [x]) => ({
  x: () => {
    const s = tf.sigmoid(x!);
    return tf.mul(dy, tf.mul(s, tf.sub(1, s)));
  },
}));

/** d tanh = (1 - tanh²) dx */
register('Tanh', ['x'], (dy, [x]) => ({x: () => tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x!))))}));

/** d p = p (dx - Σ p dx) along the last axis */
register('Softmax', ['logits'], (dy, [logits]) => ({
  logits: () => {
    const p = tf.softmax(logits!);
    return tf.mul(p, tf.sub(dy, tf.sum(tf.mul(dy, p), -1, true)));
  },
}));

/** x repeated to a larger shape, as one operation (TFJS's own broadcastTo tiles, with a gradient of many slices). */
export function spread(x: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.engine().runKernel('BroadcastTo', {x}, {shape}) as tf.Tensor;
}

register('Sum', ['x'], (dy, [x], {axis}) => ({x: () => spread(unreduced(dy, x!, axis).dy, x!.shape)}));

register('Mean', ['x'], (dy, [x], {axis}) => ({
  x: () => {
    const {dy: reduced, count} = unreduced(dy, x!, axis);
    return spread(tf.mul(reduced, 1 / count), x!.shape);
  },
}));

/** The gradient goes to the largest entries; ties share it, as PyTorch's amax does. */
register('Max', ['x'], (dy, [x], {reductionIndices, axis}) => ({
  x: () => {
    const {dy: reduced, axes} = unreduced(dy, x!, reductionIndices ?? axis);
    const largest = tf.cast(tf.equal(x!, tf.max(x!, axes, true)), 'float32');
    return tf.mul(tf.div(largest, tf.sum(largest, axes, true)), reduced);
  },
}));

/** Broadcasting copies, so its gradient sums the copies. */
register('BroadcastTo', ['x'], (dy, [x]) => ({x: () => unbroadcast(dy, x!)}));

/** Rows of a table along the first axis; the gradient adds rows up again. */
register('GatherV2', ['x', 'indices'], (dy, [x, indices], {axis}) => {
  if (tf.util.parseAxisParam(axis as number, x!.shape)[0] !== 0)
    throw new Error('Gathering is differentiated along axis 0 only.');
  const rows = (indices as tf.Tensor).size;
  return {
    x: () =>
      tf.unsortedSegmentSum(
        tf.reshape(dy, [rows, ...x!.shape.slice(1)]),
        tf.reshape(indices!, [rows]) as tf.Tensor1D,
        x!.shape[0]!,
      ),
  };
});

/** Summing rows by index copies each sum's gradient to its rows. */
register('UnsortedSegmentSum', ['segmentIds'], (dy, [ids]) => ({x: () => tf.gather(dy, ids as tf.Tensor1D)}));
