/** The axes of a sweep's search: each method, rank and batch size with its ordered learning rates. */
import {grouped} from '../grouped.ts';
import {partsOf, stepsKey, trainingOf} from '../sweep/axes/axes.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import {nameOf, noRank, type StoredTrial, type Sweep, type TrainingSettings, type Trial} from '../sweep/sweep.ts';
import {warmUpSteps} from '../sweep/warm-up.ts';
import type {Cell, Group} from './search.ts';

/**
 * One cell for every method (in its one form of the sweep), rank, batch size and value of further axes, in the order of the sweep. `trials`: all of the
 * sweep's, whatever part of them is asked for. `steps`: optimizer steps of a whole trial, by `stepsKey`. Seeds that not every
 * rate has, such as those added at a chosen rate, are in no cell. Throws a RangeError for a batch size without steps.
 */
export function cellsOf(
  trials: readonly Trial[],
  steps: Readonly<Record<string, number>>,
  sweep: Pick<Sweep, 'axes' | 'tune'> & {training: Pick<TrainingSettings, 'warmupRatio' | 'warmupSteps'>},
): Cell[] {
  return [...grouped(trials, cellOf)].map(([id, group]) => {
    const [first] = group as [Trial];
    const total = steps[stepsKey(first)];
    if (total === undefined) throw new RangeError(`The steps of batch size ${first.batchSize} are not known.`);
    const shared = groupOf(first, sweep.tune ?? []);
    const warmUp = warmUpSteps(total, trainingOf(sweep, first));
    return {id, ...matrixOf(group), steps: total, warmUp, ...(shared && {group: shared})};
  });
}

/** What a trial's cell has in common with others that differ in tuned settings only; null where the rate alone is tuned. */
export function groupOf(trial: Celled, tune: readonly string[]): Group | null {
  const all = Object.entries(trial.settings ?? {});
  const settings: Settings = Object.fromEntries(all.filter(([key]) => tune.includes(key)));
  if (Object.keys(settings).length === 0) return null;
  return {id: cellOf({...trial, settings: Object.fromEntries(all.filter(([key]) => !tune.includes(key)))}), settings};
}

/** The id of a trial's cell: its own without rate and seed, e.g. `pissa-r8-b16`, or `pissa-r8-b16-wd0.1`. */
export function cellOf(trial: Celled): string {
  const known = cellIds.get(trial);
  if (known !== undefined) return known;
  const {rank, batchSize} = trial;
  const size = rank === noRank ? '' : `-r${rank}`;
  const id = [`${nameOf(trial)}${size}-b${batchSize}`, ...partsOf(trial)].join('-');
  cellIds.set(trial, id);
  return id;
}

type Celled = Pick<StoredTrial, 'method' | 'name' | 'rank' | 'batchSize' | 'model' | 'settings' | 'own'>;

/** A trial never changes, and whatever is shown of a run asks for the cells of all its trials. */
const cellIds = new WeakMap<Celled, string>();

function matrixOf(trials: readonly Trial[]): Pick<Cell, 'rates' | 'seeds' | 'trials'> {
  const byRate = new Map<number, Map<number, Trial>>();
  for (const trial of trials) {
    const row = byRate.get(trial.learningRate) ?? new Map<number, Trial>();
    byRate.set(trial.learningRate, row.set(trial.seed, trial));
  }
  const rates = [...byRate.keys()].toSorted((a, b) => a - b);
  const rows = rates.map(rate => byRate.get(rate)!);
  const seeds = [...new Set(trials.map(({seed}) => seed))].filter(seed => rows.every(row => row.has(seed)));
  return {rates, seeds, trials: rows.map(row => seeds.map(seed => row.get(seed)!))};
}
