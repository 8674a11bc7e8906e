/** The trials of a sweep as a tree: method → rate → seed, each with its state. What is shown is a fold of the events. */

import {grouped} from '../core/grouped.ts';
import {methods} from '../core/method/methods.ts';
import {settingsInWords} from '../core/run/compare/conditions.ts';
import {isEnded, type TrialState} from '../core/run/events.ts';
import type {RunState, TrialView} from '../core/run/fold.ts';
import {formatLoss, formatMean, formatRate, formatValue} from '../core/run/format.ts';
import type {Peak} from '../core/run/peak.ts';
import {droppedTitle} from '../core/run/trials/dropped-trials.ts';
import {furtherTrials, seenBy, trialsOf} from '../core/run/trials/known-trials.ts';
import {formatPlaceShortly} from '../core/run/verdict/place.ts';
import {compare} from '../core/run/verdict.ts';
import {nameOf, type Sweep, type Trial} from '../core/sweep/sweep.ts';
import {rateNames} from '../core/sweep/trials.ts';

export interface Branch {
  /**
   * `dropped`: what the sweep file no longer has; nothing can be run of it. `tasks`, `task`: what processes of several machines work
   * through; `job`: what a scheduler was given beside them. `history`: the runs of the sweep, each a `run` whose id is its folder, `archived`:
   * those of them that are put away.
   */
  kind: 'method' | 'rate' | 'trial' | 'dropped' | 'tasks' | 'task' | 'job' | 'history' | 'run' | 'archived';
  /** Stable within the sweep. */
  id: string;
  label: string;
  description: string;
  state: TrialState;
  /** Filters for `run --only` that choose exactly these trials. */
  only: string[];
  children: Branch[];
  /** What menus go by; absent: kind and state. */
  context?: string;
  /** Absent: what it is and its state. */
  tooltip?: string;
}

/** Branches of a sweep, behind them what its run has and the file no longer; `state` is null where it has not run. */
export function branchesOf(sweep: Sweep, state: RunState | null): Branch[] {
  const file = trialsOf(sweep, state);
  const further = state ? furtherTrials(file, state) : [];
  const {own, groups} = shapeOf(sweep, further.length > 0 ? [...file, ...further] : file);
  const view = (trial: Trial): TrialView | undefined => state?.trials[state.places[trial.id] ?? -1];
  const seen = state && seenBy(state, file);
  const peaks = seen
    ? compare(seen).flatMap(({curves, metric, isUnderWay}) =>
        curves.flatMap(({peak}) => (peak ? [{peak, metric, isUnderWay}] : [])),
      )
    : [];
  const branches = sweep.methods.map((settings): Branch => {
    const name = nameOf(settings);
    const children = (groups.get(name) ?? []).map(group => rateBranch(name, group, group.trials.map(view)));
    return {
      kind: 'method' as const,
      id: name,
      label: settings.name ?? methods[settings.method].title,
      description: methodDescription(name, peaks, (own.get(name) ?? []).map(view)),
      state: together(children),
      only: [`method=${name}`],
      children,
    };
  });
  return [...branches, ...droppedBranch(seen)];
}

/** How the trials of a sweep stand in the tree. */
interface Shape {
  trials: readonly Trial[];
  /** By method. */
  own: ReadonlyMap<string, Trial[]>;
  groups: ReadonlyMap<string, Group[]>;
}

/** Trials that differ by their seeds, and the branch that was last made of them: of thousands few have changed at a beat. */
interface Group {
  label: string;
  trials: Trial[];
  made?: {views: (TrialView | undefined)[]; branch: Branch};
}

const shapes = new WeakMap<Sweep, Shape>();

/** As long as the trials are the same, so is what they stand in. */
function shapeOf(sweep: Sweep, trials: readonly Trial[]): Shape {
  const known = shapes.get(sweep);
  if (known && isAlike(known.trials, trials)) return known;
  const several = {
    rank: new Set(trials.map(({rank}) => rank)).size > 1,
    batch: new Set(trials.map(({batchSize}) => batchSize)).size > 1,
  };
  const own = grouped(trials, nameOf);
  const groups = new Map([...own].map(([name, some]) => [name, groupsOf(some, several)]));
  const shape = {trials, own, groups};
  shapes.set(sweep, shape);
  return shape;
}

const isAlike = <T>(before: readonly T[], after: readonly T[]): boolean =>
  before.length === after.length && after.every((one, place) => one === before[place]);

function rateBranch(method: string, group: Group, views: (TrialView | undefined)[]): Branch {
  if (group.made && isAlike(group.made.views, views)) return group.made.branch;
  const {label, trials} = group;
  const seeds = trials.map((trial, place) => seedBranch(trial, views[place]));
  const branch: Branch = {
    kind: 'rate',
    id: `${method} ${label}`,
    label,
    description: meanOf(views),
    state: together(seeds),
    only: [`trial=${trials.map(({id}) => id).join(',')}`],
    children: seeds,
  };
  group.made = {views, branch};
  return branch;
}

/** Stored trials that the file no longer has, in a branch of their own. */
function droppedBranch(seen: RunState | null): Branch[] {
  const views = seen?.trials.filter(({dropped, state}) => dropped && state !== 'waiting') ?? [];
  if (views.length === 0) return [];
  const leaf = {kind: 'dropped' as const, only: [], children: []};
  const children = views.map(view => {
    const {id} = view.trial;
    return {...leaf, id, label: id, description: trialDescription(view), state: view.state};
  });
  return [
    {
      ...leaf,
      id: 'dropped',
      label: droppedTitle,
      description: String(views.length),
      state: together(children),
      children,
    },
  ];
}

/** Trials of one rate, rank, batch size and value of each further axis; all but the rate are named where there are several. */
function groupsOf(trials: readonly Trial[], several: {rank: boolean; batch: boolean}): Group[] {
  const rates = rateLabels(trials.map(({learningRate}) => learningRate));
  const labelOf = (trial: Trial) =>
    [
      rates.get(trial.learningRate),
      ...(several.rank ? [`rank ${trial.rank}`] : []),
      ...(several.batch ? [`batch size ${trial.batchSize}`] : []),
      ...(trial.model === undefined ? [] : [trial.model]),
      ...settingsInWords(trial.settings),
    ].join(' · ');
  return [...grouped(trials, labelOf)].map(([label, group]) => ({label, trials: group}));
}

/** With three digits, and with more where those do not tell two rates apart. */
function rateLabels(all: readonly number[]): Map<number, string> {
  const rates = [...new Set(all)].sort((a, b) => a - b);
  const names = rateNames(rates);
  return new Map(
    rates.map((rate, k) => {
      const alike = [rates[k - 1], rates[k + 1]].some(one => one !== undefined && formatRate(one) === formatRate(rate));
      return [rate, alike ? names[k]! : formatRate(rate)];
    }),
  );
}

function seedBranch(trial: Trial, view: TrialView | undefined): Branch {
  return {
    kind: 'trial',
    id: trial.id,
    label: `seed ${trial.seed}`,
    description: view ? trialDescription(view) : '',
    state: view?.state ?? 'waiting',
    only: [`trial=${trial.id}`],
    children: [],
  };
}

function trialDescription({state, steps, totalSteps, loss, message, evaluations}: TrialView): string {
  if (state === 'running') {
    const now = loss === null ? '' : ` · loss ${formatLoss(loss)}`;
    return `${Math.floor((100 * steps) / Math.max(1, totalSteps))} %${now}`;
  }
  if (state === 'waiting') return '';
  const last = evaluations.at(-1);
  const value =
    last?.value === null || last === undefined ? '' : `${last.task} ${formatValue(last.value, last.metric)}`;
  const what = state === 'finished' ? value || (loss === null ? '' : `loss ${formatLoss(loss)}`) : state;
  return message === null ? what : `${what}: ${message}`;
}

/** Mean over the finished seeds of the last evaluation. */
function meanOf(views: (TrialView | undefined)[]): string {
  const last = views.flatMap(view => {
    const evaluation = view?.state === 'finished' ? view.evaluations.at(-1) : undefined;
    return evaluation && evaluation.value !== null ? [{value: evaluation.value, metric: evaluation.metric}] : [];
  });
  if (last.length === 0) return '';
  return formatValue(last.reduce((sum, {value}) => sum + value, 0) / last.length, last[0]!.metric);
}

function methodDescription(
  method: string,
  peaks: {peak: Peak; metric: string; isUnderWay: boolean}[],
  views: (TrialView | undefined)[],
): string {
  const own = peaks.find(({peak}) => peak.method === method);
  const best = own
    ? `best ${formatMean(own.peak.mean, own.peak.std, own.metric)} at ${formatPlaceShortly(own.peak)}${own.isUnderWay ? ' so far' : ''}`
    : '';
  const done = views.filter(view => view && isEnded(view.state)).length;
  const progress = views.some(Boolean) && done < views.length ? `${done}/${views.length}` : '';
  return [progress, best].filter(Boolean).join(' · ');
}

/** The state of several as one: at work, gone wrong, waiting, stopped, done. */
export function together(branches: readonly {state: TrialState}[]): TrialState {
  const order: TrialState[] = ['running', 'failed', 'stopped', 'waiting', 'paused', 'diverged', 'finished'];
  const states = new Set(branches.map(({state}) => state));
  // Some done and some waiting while nothing runs: it stands still.
  if (states.has('diverged') && states.has('finished') && states.size === 2) return 'finished';
  return order.find(state => states.has(state)) ?? 'waiting';
}
