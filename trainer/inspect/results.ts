/** What a sweep's run folder says of it, in brief. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {compare} from '../../core/run/verdict.ts';
import type {Results} from '../../core/sweep/inspection.ts';
import {readRun, runFolderOf} from '../store/run.ts';

/** Null where the sweep has not run. */
export async function resultsOf(file: string, name: string): Promise<Results | null> {
  const folder = runFolderOf(file, name);
  if (!existsSync(join(folder, 'events.jsonl'))) return null;
  const {state, live} = await readRun(folder);
  const peaks = compare(state).flatMap(({task, metric, rank, batchSize, curves}) =>
    curves.flatMap(({peak}) => (peak ? [{...peak, task, metric, rank, batchSize}] : [])),
  );
  return {
    folder,
    live,
    done: state.trials.flatMap(view => (view.state === 'finished' || view.state === 'diverged' ? [view.trial.id] : [])),
    peaks,
    sharpness: sharpnessOf(state.curvature),
  };
}

/** Median λmax at the start of training, by method and rank. */
function sharpnessOf(rows: {method: string; rank: number; step: number; lambdaMax: number}[]): Results['sharpness'] {
  const groups = new Map<string, {method: string; rank: number; values: number[]}>();
  for (const {method, rank, step, lambdaMax} of rows) {
    if (step !== 0) continue;
    const key = `${method} ${rank}`;
    const group = groups.get(key) ?? {method, rank, values: []};
    group.values.push(lambdaMax);
    groups.set(key, group);
  }
  return [...groups.values()].map(({method, rank, values}) => ({method, rank, median: median(values)}));
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
