/** What a sweep says about its methods, as numbers: what is compared with what. */
import {cellOf} from '../search/cells.ts';
import {usualMargin} from '../search/rules.ts';
import {noRank} from '../sweep/sweep.ts';
import type {Aggregate, RunState, TrialView} from './fold.ts';
import {formatMeasure, formatSize} from './format.ts';
import {type MethodCurve, methodCurve, type RatePoint, ratePoint} from './peak.ts';
import {tailMean} from './series/series.ts';
import {type Spread, spreadOf} from './spread.ts';
import {countedRun} from './trials/dropped-trials.ts';
import {foundBy} from './verdict/found.ts';
import {confidenceOf, type Judging} from './verdict/words.ts';

/** All methods under one (model, task, metric, rank, batch size): what may be compared with each other. */
export interface Comparison {
  /** Null where the run has one model. */
  model: string | null;
  task: string;
  metric: string;
  rank: number;
  batchSize: number;
  /** In the order of the sweep. */
  curves: MethodCurve[];
  spread: Spread | null;
  judging: Judging;
  /** Methods that were trained at further rates with all seeds because they seemed to be behind another one. */
  challenged: {method: string; by: string; rates: number[]}[];
  /** Trials of it, or the search they belong to, are not at their end: whatever is said is said so far. */
  isUnderWay: boolean;
  /** Curves of other runs are among them. */
  isBeside?: true;
}

type Group = Pick<Comparison, 'model' | 'task' | 'metric' | 'rank' | 'batchSize'>;

/** The task of a sweep without evaluations: the loss of the training itself. */
const training = {task: 'training', metric: 'loss'};

/**
 * One comparison for every (model, task, metric, rank, batch size) with a value of a finished trial or an aggregate. A sweep that evaluates
 * nothing is compared by its training loss, averaged over the last tenth of the steps. Trials that the sweep file no longer has are left out.
 */
export function compare(run: RunState): Comparison[] {
  const state = countedRun(run);
  const evaluates = state.trials.some(view => view.evaluations.length > 0);
  const groups = new Map<string, Group>();
  for (const {trial, evaluations} of state.trials) {
    for (const {task, metric} of evaluates ? evaluations : [training]) {
      const {model = null, rank, batchSize} = trial;
      const group: Group = {model, task, metric, rank, batchSize};
      groups.set(JSON.stringify(group), group);
    }
  }
  for (const {model = null, task, metric, rank, batchSize} of state.aggregates) {
    const group: Group = {model, task, metric, rank, batchSize};
    groups.set(JSON.stringify(group), group);
  }
  const judging = judgingOf(state);
  return withoutStrays([...groups.values()]).flatMap(group => {
    const curves = curvesOf(state, group, judging.margin);
    if (!curves.some(curve => curve.peak)) return [];
    const spread = spreadOf(curves, group.metric, judging);
    const challenged = challengedIn(state, group);
    return [{...group, curves, spread, judging, challenged, isUnderWay: isUnderWay(state, group)}];
  });
}

function judgingOf({verdict, search, engine, asked}: RunState): Judging {
  return {
    baseline: verdict?.baseline ?? 'lora',
    margin: verdict?.margin ?? usualMargin,
    confidence: confidenceOf({looks: (verdict?.looks?.length ?? 1) + asked, isSearch: search !== null}),
    ...(engine === 'imported' ? {percentages: true} : {}),
  };
}

/** One entry a pair of methods, however often the one was asked to try again. */
function challengedIn({challenged, trials}: RunState, group: Group): Comparison['challenged'] {
  const cells = new Set(trials.flatMap(({trial}) => (belongs(trial, group) ? [cellOf(trial)] : [])));
  const pairs = new Map<string, Comparison['challenged'][number]>();
  for (const {cell, method, by, rates} of challenged) {
    if (!cells.has(cell)) continue;
    const key = `${method} ${by}`;
    const all = new Set([...(pairs.get(key)?.rates ?? []), ...rates]);
    pairs.set(key, {method, by, rates: [...all].sort((a, b) => a - b)});
  }
  return [...pairs.values()];
}

/** A grid is when all its trials are; a search leaves most of them waiting or paused, and knows itself when it is done. */
function isUnderWay({state, search, searched, trials}: RunState, group: Group): boolean {
  const own = trials.filter(({trial}) => belongs(trial, group));
  if (!search) return own.some(view => ['waiting', 'running', 'paused', 'stopped'].includes(view.state));
  const cells = new Set(own.map(({trial}) => cellOf(trial)));
  return state !== 'finished' || searched.some(({cell, stage}) => cells.has(cell) && stage !== 'done');
}

/** Trials without a rank are the baseline at every rank, and a group of their own only where there is nothing else. */
function withoutStrays(groups: Group[]): Group[] {
  const others = groups.filter(({rank}) => rank !== noRank).map(group => JSON.stringify({...group, rank: noRank}));
  return groups.filter(group => group.rank !== noRank || !others.includes(JSON.stringify(group)));
}

/** What is compared, as a heading. */
export function title({model, task, metric, rank, batchSize}: Comparison): string {
  return `${model === null ? '' : `${model}: `}${formatMeasure(task, metric)}, ${formatSize(rank)}, batch size ${batchSize}`;
}

function curvesOf(state: RunState, group: Group, margin: number): MethodCurve[] {
  const decisions = new Map<string, RunState['searched'][number]>();
  const methods = new Map<string, Map<number, Seeds>>();
  const seedsOf = (method: string, learningRate: number): Seeds => {
    const rates = methods.get(method) ?? new Map<number, Seeds>();
    methods.set(method, rates);
    const seeds = rates.get(learningRate) ?? {values: [], right: [], diverged: 0, scanned: false};
    rates.set(learningRate, seeds);
    return seeds;
  };
  for (const view of state.trials) {
    if (!belongs(view.trial, group)) continue;
    if (!methods.has(view.trial.method)) {
      const decision = state.searched.find(({cell}) => cell === cellOf(view.trial));
      if (decision) decisions.set(view.trial.method, decision);
    }
    const seeds = seedsOf(view.trial.method, view.trial.learningRate);
    if (view.state === 'diverged') seeds.diverged++;
    if (state.search && Object.keys(view.tails).length > 0) seeds.scanned = true;
    const {value = null, right} = view.state === 'finished' ? latest(view, group) : {};
    if (value === null) continue;
    seeds.values.push(value);
    if (right !== undefined) seeds.right.push(right);
  }
  for (const aggregate of state.aggregates) {
    if (!belongs(aggregate, group) || aggregate.task !== group.task || aggregate.metric !== group.metric) continue;
    seedsOf(aggregate.method, aggregate.learningRate).aggregate = aggregate;
  }
  return [...methods].map(([method, rates]) => {
    const points = [...rates].map(([learningRate, seeds]) => pointOf(learningRate, seeds));
    const {place = null, chosen = null} = decisions.get(method) ?? {};
    const curve = methodCurve(method, points, group.metric, {margin, ...(chosen !== null && {chosen})});
    const found = state.search && foundBy(curve, place);
    return {...curve, ...(found && {found})};
  });
}

/** What is known at one rate. */
interface Seeds {
  values: number[];
  /** Of those that have stored which questions they answered rightly. */
  right: string[];
  diverged: number;
  /** A search knows the loss of a prefix. */
  scanned: boolean;
  aggregate?: Aggregate;
}

/** Values of single seeds say more than an aggregate does. */
function pointOf(learningRate: number, {values, right, diverged, scanned, aggregate}: Seeds): RatePoint {
  if (values.length > 0 || !aggregate) {
    const isOnly = scanned && values.length === 0 && diverged === 0;
    const isKnown = right.length > 0 && right.length === values.length;
    return {
      ...ratePoint(learningRate, values, diverged),
      ...(isKnown && {right}),
      ...(isOnly && {scanned: true}),
    };
  }
  const {mean, std, seeds} = aggregate;
  return {learningRate, seeds, mean, std, diverged};
}

function belongs(one: {model?: string; rank: number; batchSize: number}, group: Group): boolean {
  const ranked = one.rank === group.rank || one.rank === noRank;
  return (one.model ?? null) === group.model && ranked && one.batchSize === group.batchSize;
}

/** The trial's latest evaluation. */
function latest({evaluations, losses}: TrialView, {task, metric}: Group): {value?: number | null; right?: string} {
  if (task === training.task) return {value: tailMean(losses, 0.1)};
  const matching = evaluations.filter(one => one.task === task && one.metric === metric);
  const last = Math.max(...matching.map(one => one.step));
  return matching.find(one => one.step === last) ?? {};
}
