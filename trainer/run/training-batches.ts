/** The training rows of a sweep in batches of each size that it asks for, and whether they fit. */
import {seedsAt} from '../../core/search/comparing/standing.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {commonBeginning} from '../data/batch.ts';
import type {Dataset} from '../data/dataset.ts';
import {stepsOf} from '../data/order.ts';
import {withRoomFor} from '../data/shapes.ts';
import type {TrainingSize} from '../size/memory.ts';
import {type Room, rowsAtATime, withRecompute} from '../size/training-size.ts';
import {extents, type TrainingSource} from '../step/batches.ts';
import {shapesOf} from '../training/sources.ts';

export interface TrainingBatches {
  size: TrainingSize;
  /** Optimizer steps of a trial. */
  steps(batchSize: number): number;
  /** Training rows in batches of this size, of which at most so many are computed at a time. */
  source(batchSize: number, mostRows?: number): TrainingSource;
}

/** `kept`: what a training keeps, whatever its batches are; `pad`: the token that fills rows up; `seeds`: so many at one rate find room, at least. */
export function trainingBatches(
  sweep: Sweep,
  {dataset, pad, seeds: most}: {dataset: Dataset; pad: number; seeds: number},
  kept: Omit<TrainingSize, 'recompute'>,
  room: Room,
): TrainingBatches {
  const {training, data, methods} = sweep;
  const seeds = seedsOf(sweep, most);
  const steps = (batchSize: number) => stepsOf(dataset.count, batchSize, training);
  const name = JSON.stringify(data);
  const orderOf = (batchSize: number) => ({dataset, batchSize, shuffle: data.shuffle, name});
  /** Of batches of this size that are computed so many rows at a time. */
  const longest = longestRow(dataset);
  // Dropout drops other entries of the same token in each row.
  const beginning = training.dropout > 0 ? 0 : commonBeginning(dataset);
  const shapes = (batchSize: number, rows: number) => {
    const needed = (orders: readonly number[]) => extents({...orderOf(batchSize), rows}, orders, steps(batchSize));
    const further = seeds.filter(seed => !usualOrders.includes(seed));
    return withRoomFor(shapesOf(needed(usualOrders), rows, beginning), data.shuffle ? needed(further) : [], longest);
  };
  /** By batch size, computed whole. */
  const wholes = new Map(
    [...new Set(methods.flatMap(({batchSizes}) => batchSizes))].map(size => [size, shapes(size, size)]),
  );
  const size = withRecompute(kept, sweep, wholes, room);
  const fitting = new Map<number, number>();
  const sources = new Map<string, TrainingSource>();
  return {
    size,
    steps,
    source(batchSize, mostRows = batchSize) {
      const whole = wholes.get(batchSize)!;
      const fits = fitting.get(batchSize) ?? rowsAtATime(size, training, batchSize, whole, room);
      fitting.set(batchSize, fits);
      const rows = Math.min(fits, mostRows);
      const key = `${batchSize} ${rows}`;
      let source = sources.get(key);
      if (source === undefined) {
        source = {...orderOf(batchSize), rows, shapes: rows === batchSize ? whole : shapes(batchSize, rows), pad};
        sources.set(key, source);
      }
      return source;
    },
  };
}

/** Shapes are those of these orders, whatever seeds a sweep has: a seed more changes nothing of the others. */
const usualOrders: readonly number[] = [1, 2, 3, 4];

function longestRow({starts, count}: Dataset): number {
  let longest = 0;
  for (let row = 0; row < count; row++) longest = Math.max(longest, starts[row + 1]! - starts[row]!);
  return longest;
}

/** Those of the file and those that may be added to them: their rows are to find room in the shapes. */
function seedsOf({methods, verdict}: Sweep, least: number): number[] {
  const own = methods.flatMap(({seeds, order}) => (order === undefined ? seeds : [order]));
  const most = Math.max(least, verdict?.seeds ?? 0);
  const further = methods.flatMap(({seeds, order}) => (order === undefined ? seedsAt([], most, [{seeds}]) : []));
  return [...new Set([...own, ...further])];
}
