/** What a sweep says about its methods, as numbers: what is compared with what. */
import {grouped} from '../grouped.ts';
import {cellOf} from '../search/cells.ts';
import {usualMargin} from '../search/rules.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import {nameOf} from '../sweep/sweep.ts';
import {atBestOf, decisiveFor} from './compare/at-best.ts';
import {
  type Axes,
  axesIn,
  belongs,
  type Conditions,
  conditionsInWords,
  conditionsOf,
  settled,
  tunedOf,
} from './compare/conditions.ts';
import {objectiveFirst, withMeans} from './compare/objective.ts';
import type {Aggregate, RunState, TrialView} from './fold.ts';
import {formatMeasure} from './format.ts';
import {type MethodCurve, methodCurve, type PeakRules, type RatePoint, ratePoint} from './peak.ts';
import {type Spread, spreadOf} from './spread.ts';
import {countedRun} from './trials/dropped-trials.ts';
import {foundBy} from './verdict/found.ts';
import {evaluates, latest, training} from './verdict/measures.ts';
import {confidenceOf, type Judging} from './verdict/words.ts';

/** All methods under one (model, task, metric, rank, batch size, further conditions): what may be compared with each other. */
export interface Comparison extends Conditions {
  task: string;
  metric: string;
  /** In the order of the sweep. */
  curves: MethodCurve[];
  spread: Spread | null;
  judging: Judging;
  /** Methods that were trained at further rates with all seeds because they seemed to be behind another one. */
  challenged: {method: string; by: string; rates: number[]}[];
  /** Settings of further tuned axes at which a search went no further, as a method did better at others: after their scan, after the first seed, or after more of them. */
  left: {method: string; settings: Settings; after: 'scan' | 'seed' | 'seeds'}[];
  /** Trials of it, or the search they belong to, are not at their end: whatever is said is said so far. */
  isUnderWay: boolean;
  /** Its rates are those that are best by this measure, as it has no best of its own. */
  atBestOf?: string;
  /** Several runs are in it. */
  isBeside?: true;
}

type Group = Conditions & Pick<Comparison, 'task' | 'metric'>;

/**
 * One comparison for every (model, task, metric, rank, batch size, further conditions) with a value of a finished trial or an aggregate. A sweep that evaluates
 * nothing is compared by its training loss, averaged over the last tenth of the steps. Trials that the sweep file no longer has are left out.
 */
export function compare(run: RunState): readonly Comparison[] {
  const known = compared.get(run);
  if (known) return known;
  const found = comparisonsOf(run);
  compared.set(run, found);
  return found;
}

/** A state never changes, and what is shown of it asks for its comparisons several times. */
const compared = new WeakMap<RunState, readonly Comparison[]>();

function comparisonsOf(run: RunState): Comparison[] {
  const state = withMeans(countedRun(run));
  const axes = axesIn(state);
  const isEvaluated = evaluates(state);
  const groups = new Map<string, Group>();
  for (const {trial, evaluations} of state.trials) {
    for (const {task, metric} of isEvaluated ? evaluations : [training]) {
      const group: Group = {task, metric, ...conditionsOf(trial, axes)};
      groups.set(JSON.stringify(group), group);
    }
  }
  for (const {task, metric, ...one} of state.aggregates) {
    const group: Group = {task, metric, ...conditionsOf(one, axes)};
    groups.set(JSON.stringify(group), group);
  }
  const judging = judgingOf(state);
  const placed = [...state.trials.map(({trial}) => trial), ...state.aggregates];
  const comparisons = settled([...groups.values()], placed).flatMap(group => {
    const curves = curvesOf(state, group, axes, judging.margin);
    if (!curves.some(curve => curve.peak)) return [];
    const own = state.trials.filter(({trial}) => belongs(trial, group, axes));
    const judged = judgedBy(judging, state, own);
    const spread = spreadOf(curves, group.metric, judged);
    const [challenged, left] = [challengedIn(state, own), leftIn(state, own, axes)];
    const beside = state.parts && {isBeside: true as const};
    return [
      {...group, curves, spread, judging: judged, challenged, left, isUnderWay: isUnderWay(state, own), ...beside},
    ];
  });
  const ordered = objectiveFirst(comparisons, state);
  return ordered.map(one => {
    const decisive = decisiveFor(one, ordered, other => conditionsKey(other) === conditionsKey(one));
    if (!decisive) return one;
    const {curves} = atBestOf(one, decisive);
    return {
      ...one,
      curves,
      spread: spreadOf(curves, one.metric, one.judging),
      atBestOf: formatMeasure(decisive.task, decisive.metric),
    };
  });
}

const conditionsKey = ({model, rank, batchSize, settings}: Conditions): string =>
  JSON.stringify([model, rank, batchSize, settings]);

function judgingOf({verdict, search, engine, asked}: RunState): Judging {
  return {
    baseline: verdict?.baseline ?? 'lora',
    margin: verdict?.margin ?? usualMargin,
    confidence: confidenceOf({looks: (verdict?.looks?.length ?? 1) + asked, isSearch: search !== null}),
    ...(engine === 'imported' ? {percentages: true} : {}),
  };
}

/** Of several runs together: where all is imported, numbers are read as such. */
function judgedBy(judging: Judging, {parts}: RunState, own: readonly TrialView[]): Judging {
  return parts && own.every(({part}) => part?.imported) ? {...judging, percentages: true} : judging;
}

/** One entry a pair of methods, however often the one was asked to try again. */
function challengedIn({challenged}: RunState, own: readonly TrialView[]): Comparison['challenged'] {
  const cells = new Set(own.map(({trial}) => cellOf(trial)));
  const pairs = new Map<string, Comparison['challenged'][number]>();
  for (const {cell, method, by, rates} of challenged) {
    if (!cells.has(cell)) continue;
    const key = `${method} ${by}`;
    const all = new Set([...(pairs.get(key)?.rates ?? []), ...rates]);
    pairs.set(key, {method, by, rates: [...all].sort((a, b) => a - b)});
  }
  return [...pairs.values()];
}

function leftIn({searched}: RunState, own: readonly TrialView[], axes: Axes): Comparison['left'] {
  const cells = grouped(own, ({trial}) => cellOf(trial));
  return searched.flatMap(({cell, left}) => {
    const views = cells.get(cell);
    if (left === undefined || !views) return [];
    const {trial} = views[0]!;
    const seeds = new Set(views.flatMap(view => (view.state === 'finished' ? [view.trial.seed] : []))).size;
    const after = seeds === 0 ? 'scan' : seeds === 1 ? 'seed' : 'seeds';
    return [{method: nameOf(trial), settings: tunedOf(trial, axes) ?? {}, after}];
  });
}

/** A grid is when all its trials are; a search leaves most of them waiting or paused, and knows itself when it is done. */
function isUnderWay({state, search, searched}: RunState, own: readonly TrialView[]): boolean {
  if (!search) return own.some(view => ['waiting', 'running', 'paused', 'stopped'].includes(view.state));
  const cells = new Set(own.map(({trial}) => cellOf(trial)));
  return state !== 'finished' || searched.some(({cell, stage}) => cells.has(cell) && stage !== 'done');
}

/** What is compared, as a heading. */
export function title(comparison: Comparison): string {
  const {model, task, metric} = comparison;
  const at = comparison.atBestOf === undefined ? '' : ` at the best rates by ${comparison.atBestOf}`;
  return `${model === null ? '' : `${model}: `}${formatMeasure(task, metric)}${at}, ${conditionsInWords(comparison)}`;
}

function curvesOf(state: RunState, group: Group, axes: Axes, margin: number): MethodCurve[] {
  const searched = new Map(state.searched.map(one => [one.cell, one]));
  const decisions = new Map<string, Decided[]>();
  const methods = new Map<string, Map<string, Seeds>>();
  /** A search looked for none of their rates. */
  const imported = new Set<string>();
  const seedsOf = (method: string, learningRate: number, settings?: Settings): Seeds => {
    const places = methods.get(method) ?? new Map<string, Seeds>();
    methods.set(method, places);
    const place = JSON.stringify([learningRate, settings]);
    const none = {values: [], right: [], diverged: 0, scanned: false};
    const seeds = places.get(place) ?? {learningRate, ...(settings && {settings}), ...none};
    places.set(place, seeds);
    return seeds;
  };
  for (const view of state.trials) {
    const {trial} = view;
    if (!belongs(trial, group, axes)) continue;
    if (view.part?.imported) imported.add(nameOf(trial));
    const settings = tunedOf(trial, axes);
    const decision = searched.get(cellOf(trial));
    if (decision) {
      const own = decisions.get(nameOf(trial)) ?? [];
      if (!own.some(one => one.decision === decision)) own.push({decision, settings});
      decisions.set(nameOf(trial), own);
    }
    const seeds = seedsOf(nameOf(trial), trial.learningRate, settings);
    if (view.state === 'diverged') seeds.diverged++;
    if (state.search && Object.keys(view.tails).length > 0) seeds.scanned = true;
    const {value = null, right} = view.state === 'finished' ? latest(view, group) : {};
    if (value === null) continue;
    seeds.values.push(value);
    if (right !== undefined) seeds.right.push(right);
  }
  for (const aggregate of state.aggregates) {
    if (!belongs(aggregate, group, axes) || aggregate.task !== group.task || aggregate.metric !== group.metric)
      continue;
    seedsOf(aggregate.method, aggregate.learningRate, tunedOf(aggregate, axes)).aggregate = aggregate;
  }
  return [...methods].map(([method, places]) => {
    const points = [...places.values()].map(pointOf);
    const own = decisions.get(method) ?? [];
    const chosen = chosenOf(own);
    const curve = methodCurve(method, points, group.metric, {margin, ...(chosen && {chosen})});
    const settings = JSON.stringify(curve.peak?.settings);
    const at = own.find(one => JSON.stringify(one.settings) === settings);
    const found = state.search && !imported.has(method) && foundBy(curve, at?.decision.place ?? null);
    return {...curve, ...(found && {found})};
  });
}

/** What a search decided in one cell of a method, and that cell's values of further tuned axes. */
interface Decided {
  decision: RunState['searched'][number];
  settings: Settings | undefined;
}

/** Where the search of a method has chosen; undefined before. */
function chosenOf(decided: readonly Decided[]): PeakRules['chosen'] {
  const found = decided.find(({decision}) => decision.chosen !== null && decision.left === undefined);
  return found && {learningRate: found.decision.chosen!, ...(found.settings && {settings: found.settings})};
}

/** What is known at one rate, and one value of each further axis that is tuned. */
interface Seeds {
  learningRate: number;
  settings?: Settings;
  values: number[];
  /** Of those that have stored which questions they answered rightly. */
  right: string[];
  diverged: number;
  /** A search knows the loss of a prefix. */
  scanned: boolean;
  aggregate?: Aggregate;
}

/** Values of single seeds say more than an aggregate does. */
function pointOf({learningRate, settings, values, right, diverged, scanned, aggregate}: Seeds): RatePoint {
  const at = settings && {settings};
  if (values.length > 0 || !aggregate) {
    const isOnly = scanned && values.length === 0 && diverged === 0;
    const isKnown = right.length > 0 && right.length === values.length;
    return {
      ...ratePoint(learningRate, values, diverged),
      ...at,
      ...(isKnown && {right}),
      ...(isOnly && {scanned: true}),
    };
  }
  const {mean, std, seeds} = aggregate;
  return {learningRate, ...at, seeds, mean, std, diverged};
}
