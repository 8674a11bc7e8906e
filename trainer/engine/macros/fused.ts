/**
 * The macros as fused operations for the traced training step: single kernels of the inference runtime where it has
 * them, and gradients written by hand from what the forward pass keeps. First derivatives only: second derivatives
 * need the composite macros.
 */
import * as tf from '@tensorflow/tfjs-core';
import {logitRows} from './blocks.ts';
import {activate, composite, exact} from './composite.ts';
import {fuse, matMul, run, shared, type Tensors} from './fuse.ts';
import type {Factors, MacroOptions, Macros} from './macros.ts';
import './fused-attention.ts';
import {afterOp, checkpointOp, reachedOp} from '../graph/order.ts';
import {record, recorded, traceKernel} from '../graph/tracing.ts';

fuse(
  checkpointOp,
  [],
  ({x}, {recompute}) => record(checkpointOp, [x!], [[x!.shape, 'float32']], {recompute: Boolean(recompute)}),
  0,
  (dy, _, [kept]) => ({x: () => recorded(reachedOp, [dy, kept!], [[dy.shape, 'float32']])[0]!}),
);

/** Root-mean-square norm (Zhang & Sennrich 2019) and its gradient from the kept 1/rms. */
fuse(
  'RmsNormalization',
  ['x', 'w'],
  ({x, w}, {epsilon}) =>
    record(
      'RmsNormalization',
      [x!, w!],
      [
        [x!.shape, 'float32'],
        [[...x!.shape.slice(0, -1), 1], 'float32'],
      ],
      {epsilon: epsilon as number},
    ),
  1,
  (dy, {x, w}, [, inverse]) => ({
    x: () => {
      const normalized = tf.mul(x!, inverse!);
      const scaled = tf.mul(dy, w!);
      return tf.mul(tf.sub(scaled, tf.mul(normalized, tf.mean(tf.mul(scaled, normalized), -1, true))), inverse!);
    },
    w: () => {
      const changes = tf.mul(dy, tf.mul(x!, inverse!));
      return tf.sum(
        changes,
        Array.from({length: changes.rank - 1}, (_, axis) => axis),
      );
    },
  }),
);

/** Rows are moved back. */
fuse(
  'Rearranged',
  ['from', 'back'],
  ({x, from}) => [tf.gather(x!, from as tf.Tensor1D)],
  0,
  (dy, {from, back}) => ({x: () => run('Rearranged', {x: dy, from: back!, back: from!})}),
);

/** A rotation's gradient is the rotation back. */
fuse(
  'Rotary',
  ['cos', 'sin'],
  ({x, cos, sin}) => {
    const [rows, , positions] = x!.shape;
    const ids = Int32Array.from({length: rows! * positions!}, (_, i) => i % positions!);
    return record('Rotary', [x!, cos!, sin!, tf.tensor(ids, [rows!, positions!], 'int32')], [[x!.shape, 'float32']]);
  },
  0,
  (dy, {cos, sin}) => ({x: () => run('Rotary', {x: dy, cos: cos!, sin: tf.neg(sin!)})}),
);

/** The same at one position a sequence, each its own. */
traceKernel('RotaryAt', ({x, cos, sin, row}) => {
  const rows = tf.reshape(row as tf.Tensor, [x!.shape[0]!, 1]);
  return record('Rotary', [x!, cos!, sin!, rows], [[x!.shape, 'float32']]);
});

/** One step of generation: the new key and value are written into the cache where it lies. */
traceKernel('CachedAttention', (inputs, {scale, window}) => {
  const {q, k, v, cacheK, cacheV, position} = inputs as Tensors;
  const flat = (x: tf.Tensor) => tf.reshape(x, [x.shape[0]!, 1, x.shape[1]! * x.shape[3]!]);
  const [sequences, heads, , size] = q!.shape as [number, number, number, number];
  const [y, keys, values] = recorded(
    'CachedAttention',
    [flat(q!), flat(k!), flat(v!), cacheK!, cacheV!, position!, tf.add(tf.max(position!), tf.scalar(1, 'int32'))],
    [
      [[sequences, 1, heads * size], 'float32'],
      [cacheK!.shape, 'float32'],
      [cacheV!.shape, 'float32'],
    ],
    {heads, kvHeads: k!.shape[1]!, scale: scale as number, window: window as number},
  );
  return [tf.reshape(y!, q!.shape), keys!, values!];
});

/** The runtime's operation reads heads in vectors of this many numbers. */
const headStep = 8;

const cached: Macros['cached'] = (q, k, v, cache, position, options) => {
  if (q.shape[3]! % headStep !== 0 || options.cap !== null) return composite.cached(q, k, v, cache, position, options);
  const [y, keys, values] = tf
    .engine()
    .runKernel(
      'CachedAttention',
      {q, k, v, cacheK: cache.k, cacheV: cache.v, position},
      {scale: options.scale, window: options.window ?? -1},
    ) as tf.Tensor[];
  return {y: y!, k: keys!, v: values!};
};

fuse(
  'SiluGate',
  ['gate', 'up'],
  ({gate, up}) => {
    const silu = recorded('Silu', [gate!], [[gate!.shape, 'float32']])[0]!;
    return [tf.mul(silu, up!), silu];
  },
  1,
  (dy, {gate, up}, [, silu]) => ({
    gate: () => {
      const s = tf.sigmoid(gate!);
      return tf.mul(tf.mul(dy, up!), tf.add(s, tf.sub(silu!, tf.mul(silu!, s))));
    },
    up: () => tf.mul(dy, silu!),
  }),
);

/** Gradients of a low-rank update from dz, the gradient of x·Vᵀ: never the full [out, in] gradient of V. */
function factorGradients(x: tf.Tensor, A: tf.Tensor, B: tf.Tensor, dz: () => tf.Tensor, scale: number) {
  return {
    A: () => matMul(matMul(dz(), B), x, {transposeA: true, scale}),
    B: () => matMul(dz(), matMul(x, A, {transposeB: true}), {transposeA: true, scale}),
  };
}

/** W + s·B·A (- s·B₀·A₀) */
function merge({W, A, B, A0, B0}: Tensors, scale: number): tf.Tensor {
  const merged = tf.add(matMul(B!, A!, {scale}), W!);
  return A0 && B0 ? tf.add(merged, matMul(B0, A0, {scale: -scale})) : merged;
}

const factorNames = {'': ['x', 'W', 'A', 'B'], Residual: ['x', 'W', 'A', 'B', 'A0', 'B0']};

for (const [prefix, names] of Object.entries(factorNames)) {
  /** The update merged into the weight at each step: fastest where weights are small beside the activations. */
  fuse(
    `${prefix}MergedLowRank`,
    names,
    (inputs, {scale}) => {
      const merged = merge(inputs, scale as number);
      return [matMul(inputs['x']!, merged, {transposeB: true}), merged];
    },
    1,
    (dy, {x, A, B}, [, merged], {scale}) => ({
      x: () => matMul(dy, merged!),
      ...factorGradients(x!, A!, B!, () => dy, scale as number),
    }),
  );

  /** The update beside the weight: no [out, in] tensor a trial is kept. */
  fuse(
    `${prefix}AddedLowRank`,
    names,
    ({x, W, A, B, A0, B0}, attributes) => {
      const scale = attributes['scale'] as number;
      const narrow = matMul(x!, A!, {transposeB: true});
      const y = tf.add(matMul(x!, W!, {transposeB: true}), matMul(narrow, B!, {transposeB: true, scale}));
      if (!A0 || !B0) return [y, narrow];
      return [tf.add(y, matMul(matMul(x!, A0, {transposeB: true}), B0, {transposeB: true, scale: -scale})), narrow];
    },
    1,
    (dy, {x, W, A, B, A0, B0}, [, narrow], attributes) => {
      const scale = attributes['scale'] as number;
      const dNarrow = shared(() => matMul(dy, B!, {scale}));
      return {
        x: () => {
          const dx = tf.add(matMul(dy, W!), matMul(dNarrow(), A!));
          return A0 && B0 ? tf.add(dx, matMul(matMul(dy, B0), A0, {scale: -scale})) : dx;
        },
        A: () => matMul(dNarrow(), x!, {transposeA: true}),
        B: () => matMul(dy, narrow!, {transposeA: true, scale}),
      };
    },
  );
}

/** DoRA (Liu et al. 2024, §4.3): the norm is recomputed and held constant in the gradient. */
fuse(
  'DecomposedLowRank',
  ['x', 'W', 'A', 'B', 'magnitude'],
  ({x, W, A, B, magnitude}, {scale}) => {
    const merged = merge({W: W!, A: A!, B: B!}, scale as number);
    const norm = tf.sqrt(tf.sum(tf.square(merged), -1));
    const z = matMul(x!, merged, {transposeB: true});
    return [tf.mul(z, tf.expandDims(tf.div(magnitude!, norm), 1)), merged, norm, z];
  },
  3,
  (dy, {x, A, B, magnitude}, [, merged, norm, z], {scale}) => {
    const dz = shared(() => tf.mul(dy, tf.expandDims(tf.div(magnitude!, norm!), 1)));
    return {
      x: () => matMul(dz(), merged!),
      ...factorGradients(x!, A!, B!, dz, scale as number),
      magnitude: () => tf.div(tf.sum(tf.mul(dy, z!), 1), norm!),
    };
  },
);

/** The same with the update beside the weight: where W + s·B·A is not to be rounded, or not to be kept. */
fuse(
  'AddedDecomposedLowRank',
  ['x', 'W', 'A', 'B', 'magnitude'],
  ({x, W, A, B, magnitude}, attributes) => {
    const scale = attributes['scale'] as number;
    const norm = tf.sqrt(tf.sum(tf.square(merge({W: W!, A: A!, B: B!}, scale)), -1));
    const narrow = matMul(x!, A!, {transposeB: true});
    const z = tf.add(matMul(x!, W!, {transposeB: true}), matMul(narrow, B!, {transposeB: true, scale}));
    return [tf.mul(z, tf.expandDims(tf.div(magnitude!, norm), 1)), narrow, norm, z];
  },
  3,
  (dy, {x, W, A, B, magnitude}, [, narrow, norm, z], attributes) => {
    const scale = attributes['scale'] as number;
    const dz = shared(() => tf.mul(dy, tf.expandDims(tf.div(magnitude!, norm!), 1)));
    const dNarrow = shared(() => matMul(dz(), B!, {scale}));
    return {
      x: () => tf.add(matMul(dz(), W!), matMul(dNarrow(), A!)),
      A: () => matMul(dNarrow(), x!, {transposeA: true}),
      B: () => matMul(dz(), narrow!, {transposeA: true, scale}),
      magnitude: () => tf.div(tf.sum(tf.mul(dy, z!), 1), norm!),
    };
  },
);

/** Rows [start, rows) that logits are made of at once. */
function chunksOf(h: tf.Tensor, E: tf.Tensor): [start: number, rows: number][] {
  const count = h.shape[0]!;
  const chunk = logitRows(E.shape[0]!);
  return Array.from({length: Math.ceil(count / chunk)}, (_, i) => [i * chunk, Math.min(chunk, count - i * chunk)]);
}

/** x · Eᵀ, capped where there is a cap, with the derivative 1 - tanh² of the cap. */
function cappedProducts(x: tf.Tensor, E: tf.Tensor, cap: unknown): {logits: tf.Tensor; slope?: tf.Tensor} {
  const products = matMul(x, E, {transposeB: true});
  if (typeof cap !== 'number') return {logits: products};
  const bent = tf.tanh(tf.div(products, cap));
  return {logits: tf.mul(bent, cap), slope: tf.sub(1, tf.square(bent))};
}

/** The number of each row at its id: [rows, 1]. */
const at = (x: tf.Tensor, ids: tf.Tensor): tf.Tensor =>
  recorded('GatherElements', [x, tf.reshape(ids, [x.shape[0]!, 1])], [[[x.shape[0]!, 1], 'float32']], {axis: 1})[0]!;

/**
 * Cross-entropy with its gradient p·E - E[target] made in the forward pass, a chunk of rows at a time. The gradient in
 * E, (p - 1[target])ᵀ·h, is wanted only where E is trained, and makes the logits once more.
 */
fuse(
  'CrossEntropy',
  ['h', 'E', 'targets'],
  ({h, E, targets}, {cap}) => {
    const [count, size] = h!.shape as [number, number];
    const losses: tf.Tensor[] = [];
    const gradients: tf.Tensor[] = [];
    for (const [start, rows] of chunksOf(h!, E!)) {
      const whole = rows === count ? h! : tf.slice(h!, [start, 0], [rows, size]);
      const last = gradients.at(-1);
      // One chunk after another: side by side their logits would stand in memory whole again.
      const part = last ? recorded(afterOp, [whole, last], [[whole.shape, 'float32']])[0]! : whole;
      const ids = rows === count ? targets! : tf.slice(targets!, [start], [rows]);
      const {logits, slope} = cappedProducts(part, E!, cap);
      const logP = run('LogSoftmax', {logits});
      losses.push(tf.neg(tf.reshape(at(logP, ids), [rows])));
      const own = tf.gather(E!, ids as tf.Tensor1D);
      gradients.push(
        slope
          ? tf.sub(matMul(tf.mul(tf.exp(logP), slope), E!), tf.mul(at(slope, ids), own))
          : tf.sub(matMul(tf.exp(logP), E!), own),
      );
    }
    return [tf.concat(losses), tf.concat(gradients)];
  },
  1,
  (dy, {h, E, targets}, [, dh], {cap}) => ({
    h: () => tf.mul(dh!, tf.expandDims(dy, 1)),
    E: () => {
      const size = h!.shape[1]!;
      const weighted = tf.mul(h!, tf.expandDims(dy, 1));
      const parts = chunksOf(h!, E!).map(([start, rows]) => {
        const {logits, slope} = cappedProducts(tf.slice(h!, [start, 0], [rows, size]), E!, cap);
        const own = tf.slice(weighted, [start, 0], [rows, size]);
        const ids = tf.slice(targets!, [start], [rows]);
        const p = tf.softmax(logits);
        return {
          expected: matMul(slope ? tf.mul(p, slope) : p, own, {transposeA: true}),
          chosen: slope ? tf.mul(own, at(slope, ids)) : own,
        };
      });
      const chosen = tf.concat(parts.map(part => part.chosen));
      return tf.sub(
        parts.map(({expected}) => expected).reduce((sum, part) => tf.add(sum, part)),
        tf.unsortedSegmentSum(chosen, targets as tf.Tensor1D, E!.shape[0]!),
      );
    },
  }),
);

const pair = ({A, B, start}: Factors): Tensors => (start ? {A, B, A0: start.A, B0: start.B} : {A, B});

/** The fused macros. */
export function fused(options: MacroOptions): Macros {
  return options.exact ? exactFused : firstOrder(options);
}

/** Rotations and moves are linear, and their gradients are such again; everything else is taken apart. */
const exactFused: Macros = {
  ...exact,
  linear: (x, W) => tf.matMul(x, W, false, true),
  rotary: (x, cos, sin) => run('Rotary', {x, cos, sin}),
  rearranged: (x, from, back) => run('Rearranged', {x, from, back}),
};

function firstOrder({merged, recompute = false}: MacroOptions): Macros {
  return {
    // Where updates are merged, the model is small: order costs more than it saves.
    checkpoint: x => (recompute || !merged ? run(checkpointOp, {x}, {recompute}) : x),
    linear: (x, W) => tf.matMul(x, W, false, true),
    lowRank: (x, W, factors, scale) =>
      run(`${factors.start ? 'Residual' : ''}${merged ? 'Merged' : 'Added'}LowRank`, {x, W, ...pair(factors)}, {scale}),
    decomposed: (x, W, factors, magnitude, scale) =>
      run(`${merged ? '' : 'Added'}DecomposedLowRank`, {x, W, magnitude, A: factors.A, B: factors.B}, {scale}),
    rmsNorm: (x, w, epsilon) => run('RmsNormalization', {x, w}, {epsilon}),
    rotary: (x, cos, sin) => run('Rotary', {x, cos, sin}),
    rotaryAt: (x, cos, sin, row) => run('RotaryAt', {x, cos, sin, row}),
    attention: (q, k, v, mask, {scale, cap, group}) =>
      cap === null
        ? run('Attention', {q, k, v, mask}, {scale, group})
        : composite.attention(q, k, v, mask, {scale, cap, group}),
    cached,
    gated: (gate, up, activation) =>
      activation === 'silu' ? run('SiluGate', {gate, up}) : tf.mul(activate(gate, activation), up),
    rows: (x, indices) => tf.gather(x, indices as tf.Tensor1D),
    rearranged: (x, from, back) => run('Rearranged', {x, from, back}),
    crossEntropy: (h, E, targets, cap) => run('CrossEntropy', {h, E, targets}, cap === null ? {} : {cap}),
  };
}
