/**
 * Dropout masks that every engine computes alike and that depend on the trial alone: a strongly universal hash
 * (Carter & Wegman 1979) of a random row and a random column, exact in float32. Entries of a mask are pairwise
 * independent.
 */
import * as tf from '@tensorflow/tfjs-core';

/** A prime: products of two residues stay below 2²⁴. */
const prime = 2039;

/** Random residues one mask of [rows, columns] needs. */
export function noiseSize(rows: number, columns: number): number {
  return 2 * (rows + columns);
}

/** Residues are drawn as integers below this. */
export const residues = prime;

/**
 * 1/(1-p) where an entry is kept, 0 where it is dropped: noise [trials, noiseSize] → [trials, rows, columns]. `at`: [trials ·
 * count], the rows that are wanted, counted through all trials → [trials, count, columns].
 */
export function dropoutMask(noise: tf.Tensor, columns: number, probability: number, at?: tf.Tensor): tf.Tensor {
  const [trials, size] = noise.shape as [number, number];
  const rows = size / 2 - columns;
  const [rowFactor, rowShift, columnFactor, columnShift] = tf.split(noise, [rows, rows, columns, columns], 1) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const wanted = (all: tf.Tensor) =>
    at ? tf.reshape(tf.gather(tf.reshape(all, [trials * rows]), at as tf.Tensor1D), [trials, at.size / trials]) : all;
  const [factor, shift] = [wanted(rowFactor), wanted(rowShift)];
  const product = tf.mul(tf.expandDims(factor, 2), tf.expandDims(columnFactor, 1));
  const sum = tf.add(tf.add(product, tf.expandDims(shift, 2)), tf.expandDims(columnShift, 1));
  // In the middle between two integers and times the reciprocal: exact however a device rounds divisions.
  const quotient = tf.floor(tf.mul(tf.add(sum, 0.5), 1 / prime));
  const hash = tf.sub(sum, tf.mul(quotient, prime));
  const dropped = Math.round(probability * prime);
  return tf.mul(tf.cast(tf.greaterEqual(hash, tf.scalar(dropped)), 'float32'), prime / (prime - dropped));
}
