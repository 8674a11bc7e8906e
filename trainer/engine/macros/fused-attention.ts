/**
 * Causal attention as a fused operation, in blocks of queries that each read the keys up to their last position only:
 * what comes later is masked, and with many blocks that is half of all. The softmax's gradient is made from Σ dy∘y
 * instead of Σ dp∘p (Dao et al. 2022, appendix B).
 */
import * as tf from '@tensorflow/tfjs-core';
import {blocksOf, mostBlocks} from './blocks.ts';
import {fuse, matMul, shared} from './fuse.ts';

/** Blocks of an axis of x that holds `group` times all positions. */
function blocksAlong(x: tf.Tensor, axis: number, group: number, blocks: readonly [number, number][]): tf.Tensor[] {
  if (blocks.length === 1) return [x];
  const positions = x.shape[axis]! / group;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const lengths = blocks.map(([start, end]) => end - start);
  return tf
    .split(tf.reshape(x, [...before, group, positions, ...after]), lengths, axis + 1)
    .map((block, i) => tf.reshape(block, [...before, group * lengths[i]!, ...after]));
}

/** The blocks of queries as one again: [rows, kvHeads, group · positions, size]. */
function joined(parts: readonly tf.Tensor[], group: number): tf.Tensor {
  if (parts.length === 1) return parts[0]!;
  const apart = parts.map(part => {
    const [rows, heads, length, size] = part.shape as [number, number, number, number];
    return tf.reshape(part, [rows, heads, group, length / group, size]);
  });
  const whole = tf.concat(apart, 3);
  const [rows, heads, , positions, size] = whole.shape as [number, number, number, number, number];
  return tf.reshape(whole, [rows, heads, group * positions, size]);
}

/** The blocks of queries, each with the number of keys that it reads: all that stand before the positions, and those up to its end. */
function blocksFor(q: tf.Tensor, k: tf.Tensor, group: number): {blocks: [number, number][]; ends: number[]} {
  const positions = q.shape[2]! / group;
  const before = k.shape[2]! - positions;
  const blocks = blocksOf(positions);
  return {blocks, ends: blocks.map(([, end]) => before + end)};
}

/** The first `end` positions of keys or values [rows, kvHeads, positions, size]. */
function upTo(x: tf.Tensor, end: number): tf.Tensor {
  const [rows, heads, positions, size] = x.shape as [number, number, number, number];
  return end === positions ? x : tf.slice(x, [0, 0, 0, 0], [rows, heads, end, size]);
}

/** The sum of what the blocks say of the first positions, each of more of them than the one before. */
function summed(parts: readonly tf.Tensor[]): tf.Tensor {
  return parts.reduce((sum, part) => {
    const more = part.shape[2]! - sum.shape[2]!;
    return tf.add(
      tf.pad(sum, [
        [0, 0],
        [0, 0],
        [0, more],
        [0, 0],
      ]),
      part,
    );
  });
}

fuse(
  'Attention',
  ['q', 'k', 'v'],
  ({q, k, v, mask}, attributes) => {
    const scale = attributes['scale'] as number;
    const group = attributes['group'] as number;
    const {blocks, ends} = blocksFor(q!, k!, group);
    const masks = blocksAlong(mask!, 0, group, blocks);
    const kept = blocksAlong(q!, 2, group, blocks).map((part, i) => {
      const end = ends[i]!;
      const seen = end === k!.shape[2]! ? masks[i]! : tf.slice(masks[i]!, [0, 0], [masks[i]!.shape[0]!, end]);
      return tf.softmax(tf.add(matMul(part, upTo(k!, end), {transposeB: true, scale}), seen));
    });
    const parts = kept.map((p, i) => matMul(p, upTo(v!, ends[i]!)));
    return [joined(parts, group), ...kept];
  },
  mostBlocks,
  (dy, {q, k, v}, [y, ...kept], attributes) => {
    const scale = attributes['scale'] as number;
    const group = attributes['group'] as number;
    const {blocks, ends} = blocksFor(q!, k!, group);
    const parts = (x: tf.Tensor) => blocksAlong(x, 2, group, blocks);
    const dParts = shared(() => parts(dy));
    const dScores = shared(() => {
      const sums = parts(tf.sum(tf.mul(dy, y!), -1, true));
      return kept.map((p, i) => {
        const dP = matMul(dParts()[i]!, upTo(v!, ends[i]!), {transposeB: true});
        return tf.mul(p, tf.sub(dP, sums[i]!));
      });
    });
    return {
      q: () =>
        joined(
          dScores().map((own, i) => matMul(own, upTo(k!, ends[i]!), {scale})),
          group,
        ),
      k: () => {
        const queries = parts(q!);
        return summed(dScores().map((own, i) => matMul(own, queries[i]!, {transposeA: true, scale})));
      },
      v: () => summed(kept.map((p, i) => matMul(p, dParts()[i]!, {transposeA: true}))),
    };
  },
);
