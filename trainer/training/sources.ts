import type {Sweep} from '../../core/sweep/sweep.ts';
import type {ProbeSource} from '../curvature/probe.ts';
import {commonBeginning, extentOf} from '../data/batch.ts';
import type {Dataset} from '../data/dataset.ts';
import {stepRows} from '../data/order.ts';
import {type BatchShape, bucketShapes, type Extent, union} from '../data/shapes.ts';
import type {RowSource} from '../step/batches.ts';

/** Shapes a step is compiled for, at most. */
const mostShapes = 8;

/** Every product of a probe runs over all batches, and one layer of a shape serves all layers: a shape costs little. */
const probed = {most: 4, price: 0.1};

/** Tokens of a probed batch, at least, where there are as many. */
const probeTokens = 320;

/** Target tokens of an evaluation batch, about. */
const evaluationTokens = 8192;

/** Shapes that these batches of `rows` rows are computed in; all rows begin with so many tokens. */
export const shapesOf = (batches: readonly Extent[], rows: number, beginning: number): BatchShape[] =>
  bucketShapes(batches, rows, {most: mostShapes}, beginning);

/** A dataset from its first row to its last, for evaluation. */
export function inOrder(dataset: Dataset, pad: number): RowSource {
  const all = Array.from({length: dataset.count}, (_, row) => extentOf(dataset, [row]));
  const rows = Math.max(1, Math.min(dataset.count, Math.floor(evaluationTokens / (union(all).lengths[0] ?? 1))));
  const batches = Array.from({length: Math.ceil(dataset.count / rows)}, (_, batch) =>
    extentOf(
      dataset,
      Int32Array.from({length: Math.min(rows, dataset.count - batch * rows)}, (_, i) => batch * rows + i),
    ),
  );
  return {dataset, rows, shapes: shapesOf(batches, rows, commonBeginning(dataset)), pad};
}

/** The first `samples` rows in the order of this seed, the longest ones first. */
export function probeSource(dataset: Dataset, {data, curvature}: Sweep, seed: number, pad: number): ProbeSource {
  const {samples, batchSize} = curvature!;
  const first = stepRows(dataset.count, Math.min(samples, dataset.count), 0, {seed, shuffle: data.shuffle});
  const lengths = new Map([...first].map(row => [row, extentOf(dataset, [row]).tokens]));
  const order = first.toSorted((a, b) => lengths.get(b)! - lengths.get(a)! || a - b);
  // Rows so short that a batch of them is hardly worth a call are taken more at a time.
  const longest = Math.max(...lengths.values());
  const rows = Math.min(Math.max(batchSize, Math.floor(probeTokens / longest)), order.length);
  const batches = Array.from({length: Math.ceil(order.length / rows)}, (_, i) =>
    extentOf(dataset, order.subarray(i * rows, (i + 1) * rows)),
  );
  const shapes = bucketShapes(batches, rows, probed, commonBeginning(dataset));
  return {dataset, rows, shapes, pad, order};
}
