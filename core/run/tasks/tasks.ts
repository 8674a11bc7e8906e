/** A sweep cut into tasks, which processes of several machines work through. */
import {grouped} from '../../grouped.ts';
import {cellOf, groupOf} from '../../search/cells.ts';
import type {Sweep, Trial} from '../../sweep/sweep.ts';

/** What one process at a time works on: all rates and seeds of a cell, or a part of them. */
export interface Task {
  /** `t0001`, … in the order of the sweep. */
  task: string;
  /** The id of its cell, e.g. `pissa-r8-b16`; in a search over several tuned axes that of its group. */
  cell: string;
  /** Then the ids of the group's cells, which decide together. */
  cells?: string[];
  /** Their ids, in the order of the sweep. */
  trials: string[];
}

/** How fine the tasks are. */
export interface Cut {
  /** Trials of a task, at most. */
  perTask?: number | undefined;
  /** So many tasks at least, as far as there are trials. */
  atLeast?: number | undefined;
}

/**
 * The tasks of a sweep: its cells, cut further only where that is asked for. They depend on the trials and the cut alone. A search
 * looks at a whole cell, or group of cells, so that its tasks are cut only by `perTask`: whoever starts them goes by rounds
 * (core/search/rounds). `searched`: what a search tunes beside the rate; null in a grid.
 */
export function tasksOf(
  trials: readonly Trial[],
  {perTask, atLeast = 1}: Cut = {},
  searched: readonly string[] | null = null,
): Task[] {
  const cells = [...grouped(trials, trial => groupOf(trial, searched ?? [])?.id ?? cellOf(trial))].map(
    ([cell, own]) => {
      const pieces = perTask === undefined ? 1 : Math.ceil(own.length / perTask);
      const all = [...new Set(own.map(cellOf))];
      return {cell, ...(all[0] !== cell && {cells: all}), trials: own.map(({id}) => id), pieces};
    },
  );
  if (searched === null) cutFurther(cells, atLeast);
  const parts = cells.flatMap(({pieces, trials: own, ...one}) =>
    cutEvenly(own, pieces).map(part => ({...one, trials: part})),
  );
  return parts.map((part, place) => ({task: taskName(place + 1), ...part}));
}

/** What a search of this sweep tunes beside the rate; null in a grid. */
export function searchedBeside({search, tune = []}: Pick<Sweep, 'search' | 'tune'>): string[] | null {
  return search ? tune : null;
}

/** The cells that a task has trials of. */
export function cellsOfTask({cell, cells = [cell]}: Pick<Task, 'cell' | 'cells'>): string[] {
  return cells;
}

/** One more piece for the cell with the most trials a piece, until there are enough. */
function cutFurther(cells: {trials: string[]; pieces: number}[], atLeast: number): void {
  const size = ({trials, pieces}: (typeof cells)[number]) => trials.length / pieces;
  for (let all = cells.reduce((sum, {pieces}) => sum + pieces, 0); all < atLeast; all++) {
    const largest = cells.reduce((most, cell) => (size(cell) > size(most) ? cell : most));
    if (size(largest) <= 1) return;
    largest.pieces++;
  }
}

/** Neighbours stay together; pieces differ by one item at most. */
function cutEvenly<Item>(items: readonly Item[], pieces: number): Item[][] {
  const start = (piece: number) => Math.round((piece * items.length) / pieces);
  return Array.from({length: pieces}, (_, piece) => items.slice(start(piece), start(piece + 1)));
}

/** Part `index` (from 1) of `parts`: `--shard 2/3`. */
export interface Shard {
  index: number;
  parts: number;
}

/**
 * The tasks of one part: the largest first to whoever has the fewest trials, so that all parts have about as many. Parts are
 * disjoint and cover all; one may be empty where there are fewer tasks than parts.
 */
export function shardOf(tasks: readonly Task[], {index, parts}: Shard): Task[] {
  // Parts beyond the tasks are empty, however many there are.
  const loads = Array.from({length: Math.min(parts, tasks.length)}, () => 0);
  const chosen = new Set<Task>();
  for (const task of tasks.toSorted((a, b) => b.trials.length - a.trials.length)) {
    const part = loads.indexOf(Math.min(...loads));
    loads[part]! += task.trials.length;
    if (part === index - 1) chosen.add(task);
  }
  return tasks.filter(task => chosen.has(task));
}

function taskName(number: number): string {
  return `t${String(number).padStart(4, '0')}`;
}
