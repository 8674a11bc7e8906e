/** What the settings of a run cost: as counted before it ran, and the time of a step as it was measured. */
import {grouped} from '../grouped.ts';
import {costColumns, costRow} from '../method/cost.ts';
import {nameOf, type StoredTrial} from '../sweep/sweep.ts';
import type {RunState} from './fold.ts';
import {formatMilliseconds} from './format.ts';
import {stepSecondsOf} from './progress.ts';

export interface StepTime {
  method: string;
  /** Of a variant: what it is called. */
  name?: string;
  rank: number;
  batchSize: number;
  /** Median over its trials, each trained beside others. */
  seconds: number;
}

/** Of every method, rank and batch size that took enough steps to tell. */
export function stepTimes(state: RunState): StepTime[] {
  const settings = grouped(state.trials, ({trial}) => `${nameOf(trial)} ${trial.rank} ${trial.batchSize}`);
  return [...settings.values()].flatMap(views => {
    const {trial} = views[0]!;
    const {method, rank, batchSize} = trial;
    const times = views.flatMap(view => stepSecondsOf(view) ?? []).sort((a, b) => a - b);
    const seconds = times[times.length >> 1];
    const named = trial.name !== undefined && {name: trial.name};
    return seconds === undefined ? [] : [{method, ...named, rank, batchSize, seconds}];
  });
}

/**
 * How many numbers each trial trains; null where that is not known: costs are counted once a method and rank, so that they say nothing of a trial
 * whose sweep has several models or targets.
 */
export function parametersIn({
  costs,
  trials,
}: Pick<RunState, 'costs' | 'trials'>): (trial: StoredTrial) => number | null {
  const isOpen = trials.some(
    ({trial: {model, settings}}) => model !== undefined || settings?.['targets'] !== undefined,
  );
  const keyOf = (one: {method: string; name?: string; rank: number}) => JSON.stringify([nameOf(one), one.rank]);
  const known = new Map(isOpen ? [] : costs.map(cost => [keyOf(cost), cost.parameters]));
  return trial => known.get(keyOf(trial)) ?? null;
}

export const measuredCostColumns = [...costColumns, {title: 'step time, measured', align: 'right'}] as const;

/** One row a method and rank; a dash where no step time is known. */
export function measuredCostRows(costs: RunState['costs'], times: readonly StepTime[]): string[][] {
  return costs.map(cost => {
    const own = times.filter(time => nameOf(time) === nameOf(cost) && time.rank === cost.rank);
    const shown = own.map(({batchSize, seconds}) => {
      const lora = times.find(
        time => nameOf(time) === 'lora' && time.rank === cost.rank && time.batchSize === batchSize,
      );
      const relative = lora && nameOf(cost) !== 'lora' ? ` (${(seconds / lora.seconds).toFixed(2)} ×)` : '';
      return `${own.length > 1 ? `b${batchSize}: ` : ''}${formatMilliseconds(1000 * seconds)}${relative}`;
    });
    return [...costRow(cost), shown.join(', ') || '–'];
  });
}

export const costTitle = 'Cost';

export const costCaption =
  "All at the largest batch size; optimizer memory: AdamW's two moments, or LoFT's own, in float32. The measured step time is the median over a setting's trials, each trained beside others, relative to LoRA's in brackets.";
