/** The batches of a pack: every trial's own rows in its own order, side by side on the trials axis. */
import {orderSeedOf, type Trial} from '../../core/sweep/sweep.ts';
import {collate, emptyBatch, extentOf} from '../data/batch.ts';
import type {Dataset} from '../data/dataset.ts';
import {stepRows} from '../data/order.ts';
import {type BatchShape, beginningOf, behind, type Extent, shapeFor, union} from '../data/shapes.ts';
import {residues} from '../math/dropout.ts';
import {random} from '../math/random.ts';
import type {PackBatch} from './step.ts';

/** Rows of a dataset in batches of few shapes. */
export interface RowSource {
  dataset: Dataset;
  /** Rows computed at a time. */
  rows: number;
  /** What programs are compiled for, each with room for what fits an earlier one. */
  shapes: BatchShape[];
  /** The id padding is made of. */
  pad: number;
}

/** Training rows: every seed has its own order, in batches of `batchSize`. */
export interface TrainingSource extends RowSource {
  batchSize: number;
  shuffle: boolean;
  /** What rows these are, and how they are read: another text for others. */
  name: string;
}

type Order = Pick<TrainingSource, 'dataset' | 'rows' | 'batchSize' | 'shuffle'>;

/** The rows of one step (from 0), in parts that are computed at a time. */
function microBatches({dataset, rows, batchSize, shuffle}: Order, seed: number, step: number): Int32Array[] {
  const all = stepRows(dataset.count, batchSize, step, {seed, shuffle});
  return Array.from({length: Math.ceil(all.length / rows)}, (_, i) => all.subarray(i * rows, (i + 1) * rows));
}

/** Tokens of one step's rows (from 0), padding left out. */
export function tokensOf(source: TrainingSource, seed: number, step: number): number {
  const {starts, count} = source.dataset;
  const rows = stepRows(count, source.batchSize, step, {seed, shuffle: source.shuffle});
  return rows.reduce((sum, row) => sum + starts[row + 1]! - starts[row]!, 0);
}

/** What every micro-batch of these seeds' trainings needs. */
export function extents(order: Order, seeds: readonly number[], steps: number): Extent[] {
  const found: Extent[] = [];
  for (const seed of order.shuffle ? seeds : seeds.slice(0, 1))
    for (let step = 0; step < steps; step++)
      for (const rows of microBatches(order, seed, step)) found.push(extentOf(order.dataset, rows));
  return found;
}

/** The micro-batches of one step (from 0) for the trials of a pack. */
export function packBatches(
  source: TrainingSource,
  trials: readonly Trial[],
  step: number,
  noiseSize: (shape: BatchShape) => number,
): PackBatch[] {
  const perTrial = trials.map(trial => microBatches(source, orderSeedOf(trial), step));
  const tokens = perTrial.map(micro => micro.reduce((sum, rows) => sum + extentOf(source.dataset, rows).targets, 0));
  return perTrial[0]!.map((_, part) => {
    const rows = perTrial.map(micro => micro[part]!);
    const batch = sideBySide(source, rows);
    const {targets} = batch.shape;
    batch.weights.forEach((weight, i) => {
      batch.weights[i] = weight / tokens[Math.floor(i / targets)]!;
    });
    const size = noiseSize(batch.shape);
    const noise = new Float32Array(trials.length * size);
    trials.forEach(({seed}, trial) => {
      const draws = random(seed, 'dropout', step, part);
      for (let i = 0; i < size; i++) noise[trial * size + i] = draws.integerBelow(residues);
    });
    return {...batch, noise};
  });
}

/** One batch with the given rows for each trial; its weights are 1 at targets. */
export function sideBySide({dataset, shapes, pad}: RowSource, rows: readonly Int32Array[]): PackBatch {
  const beginning = beginningOf(shapes);
  const shape = shapeFor(shapes, union(rows.map(own => behind(beginning, extentOf(dataset, own)))));
  const trials = rows.length;
  const whole = emptyBatch(shape, trials);
  rows.forEach((own, trial) => {
    collate(dataset, own, shape, pad, whole, {trial, trials});
  });
  return {shape, ...whole, noise: new Float32Array(0)};
}
