/** What the settings of a run cost: as counted before it ran, and the time of a step as it was measured. */
import {grouped} from '../grouped.ts';
import {costColumns, costRow, type MethodCost} from '../method/cost.ts';
import {nameOf, type StoredTrial} from '../sweep/sweep.ts';
import type {Column} from '../table.ts';
import type {RunState} from './fold.ts';
import {formatMilliseconds} from './format.ts';
import {stepSecondsOf} from './progress.ts';

/** What a cost belongs to: whatever changes how many numbers are trained. The method of imported results may be any. */
export interface CostPlace extends Pick<MethodCost, 'name' | 'rank' | 'model' | 'targets'> {
  method: string;
}

export interface StepTime extends CostPlace {
  batchSize: number;
  /** Median over its trials, each trained beside others. */
  seconds: number;
}

export function costPlace({method, name, rank, model, settings}: StoredTrial): CostPlace {
  const targets = settings?.['targets'];
  return {
    method,
    rank,
    ...(name !== undefined && {name}),
    ...(model !== undefined && {model}),
    ...(targets !== undefined && {targets}),
  };
}

export const costKey = (place: CostPlace): string => JSON.stringify([nameOf(place), ...around(place)]);

/** What is the same for methods that are measured by each other. */
const around = ({rank, model, targets}: CostPlace) => [rank, model ?? null, targets ?? null];

/** Of everything that costs something of its own, and every batch size, that took enough steps to tell. */
export function stepTimes(state: RunState): StepTime[] {
  const settings = grouped(state.trials, ({trial}) => `${costKey(costPlace(trial))} ${trial.batchSize}`);
  return [...settings.values()].flatMap(views => {
    const {trial} = views[0]!;
    const times = views.flatMap(view => stepSecondsOf(view) ?? []).sort((a, b) => a - b);
    const seconds = times[times.length >> 1];
    return seconds === undefined ? [] : [{...costPlace(trial), batchSize: trial.batchSize, seconds}];
  });
}

/** How many numbers each trial trains; null where the run does not know. */
export function parametersIn({costs}: Pick<RunState, 'costs'>): (trial: StoredTrial) => number | null {
  const known = new Map(costs.map(cost => [costKey(cost), cost.parameters]));
  return trial => known.get(costKey(costPlace(trial))) ?? null;
}

/** One row a cost, with a model and targets where there are several; a dash where no step time is known. */
export function measuredCosts(
  costs: RunState['costs'],
  times: readonly StepTime[],
): {columns: Column[]; rows: string[][]} {
  const [first, ...others] = costColumns;
  const several = (['model', 'targets'] as const).filter(key => costs.some(cost => cost[key] !== undefined));
  return {
    columns: [
      first,
      ...several.map(title => ({title, align: 'left' as const})),
      ...others,
      {title: 'step time, measured', align: 'right'},
    ],
    rows: costs.map(cost => {
      const [method, ...figures] = costRow(cost);
      return [method!, ...several.map(key => cost[key] ?? '–'), ...figures, measuredTime(cost, times)];
    }),
  };
}

function measuredTime(cost: MethodCost, times: readonly StepTime[]): string {
  const isAround = (time: StepTime): boolean => JSON.stringify(around(time)) === JSON.stringify(around(cost));
  const own = times.filter(time => costKey(time) === costKey(cost));
  const shown = own.map(({batchSize, seconds}) => {
    const lora = times.find(time => nameOf(time) === 'lora' && isAround(time) && time.batchSize === batchSize);
    const relative = lora && nameOf(cost) !== 'lora' ? ` (${(seconds / lora.seconds).toFixed(2)} ×)` : '';
    return `${own.length > 1 ? `b${batchSize}: ` : ''}${formatMilliseconds(1000 * seconds)}${relative}`;
  });
  return shown.join(', ') || '–';
}

export const costTitle = 'Cost';

export const costCaption =
  "All at the largest batch size; optimizer memory: AdamW's two moments, or LoFT's own, in float32. The measured step time is the median over a setting's trials, each trained beside others, relative to LoRA's in brackets.";
