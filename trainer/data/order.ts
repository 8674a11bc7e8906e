/** Which rows an optimizer step sees. */
import type {TrainingSettings} from '../../core/sweep/sweep.ts';
import {random} from '../math/random.ts';

/**
 * The rows of step `step` (from 0): every epoch takes all rows once, in an order drawn anew for each (seed, epoch), or in
 * file order without `shuffle`. The last batch of an epoch may be smaller, as in transformers' Trainer.
 */
export function stepRows(
  count: number,
  batchSize: number,
  step: number,
  {seed, shuffle}: {seed: number; shuffle: boolean},
): Int32Array {
  const perEpoch = Math.ceil(count / batchSize);
  const epoch = Math.floor(step / perEpoch);
  const start = (step % perEpoch) * batchSize;
  const size = Math.min(batchSize, count - start);
  if (!shuffle) return Int32Array.from({length: size}, (_, i) => start + i);
  return Int32Array.from(permutation(count, seed, epoch).subarray(start, start + size));
}

/** The orders drawn last: every step of an epoch asks for the same one, and the seeds of a pack take turns. */
const drawn = new Map<string, Uint32Array>();
const remembered = 8;

function permutation(count: number, seed: number, epoch: number): Uint32Array {
  const key = `${count} ${seed} ${epoch}`;
  const order = drawn.get(key) ?? random(seed, 'data order', epoch).permutation(count);
  // Put last, so that the one that was not asked for the longest is forgotten first.
  drawn.delete(key);
  drawn.set(key, order);
  const [oldest] = drawn.keys();
  if (drawn.size > remembered && oldest !== undefined) drawn.delete(oldest);
  return order;
}

/** Optimizer steps of a trial: `steps` where given, else all batches of `epochs`, the last epoch perhaps in part. */
export function stepsOf(
  count: number,
  batchSize: number,
  {steps, epochs}: Pick<TrainingSettings, 'steps' | 'epochs'>,
): number {
  return steps ?? Math.ceil(epochs * Math.ceil(count / batchSize));
}
