/** Which trial stands for a best rate. */
import {nameOf} from '../sweep/sweep.ts';
import {axesIn, belongs, type Conditions, tunedOf} from './compare/conditions.ts';
import {withMeans} from './compare/objective.ts';
import type {RunState, TrialView} from './fold.ts';
import {lowerIsBetter, type Peak} from './peak.ts';
import {type Comparison, compare} from './verdict.ts';

/** What a peak was found at, and by which measure. */
export type Place = Pick<Peak, 'method' | 'learningRate' | 'settings'> &
  Pick<Comparison, 'task' | 'metric'> & {
    /** Of the comparison that it is the peak in. */
    conditions: Conditions;
  };

/** The best of the finished seeds at a rate; undefined where there is none. */
export function bestSeed(state: RunState, place: Place): TrialView | undefined {
  const {method, learningRate, settings, conditions, task, metric} = place;
  const {trials} = withMeans(state);
  const axes = axesIn(state);
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const scoreOf = ({evaluations, loss}: TrialView): number =>
    evaluations.findLast(one => one.task === task && one.metric === metric)?.value ?? loss ?? sign * Infinity;
  const seeds = trials.filter(
    ({trial, state, dropped}) =>
      state === 'finished' &&
      !dropped &&
      nameOf(trial) === method &&
      trial.learningRate === learningRate &&
      belongs(trial, conditions, axes) &&
      JSON.stringify(tunedOf(trial, axes)) === JSON.stringify(settings),
  );
  return seeds.toSorted((a, b) => sign * (scoreOf(a) - scoreOf(b)))[0];
}

/** What a run of one method found. */
export interface Best {
  peak: Peak;
  metric: string;
  trial: TrialView;
}

/** By what the search went by; null where no rate was trained to its end. */
export function bestOf(state: RunState, by: {task: string; metrics: readonly string[]}): Best | null {
  const found = compare(state).find(({task, metric}) => task === by.task && by.metrics.includes(metric));
  const peak = found?.curves[0]?.peak;
  if (!found || !peak) return null;
  const trial = bestSeed(state, {...found, ...peak, conditions: found});
  return trial ? {peak, metric: found.metric, trial} : null;
}
