/** What a sweep says about its methods, as numbers: what is compared with what. */
import {grouped} from '../grouped.ts';
import {cellOf} from '../search/cells.ts';
import {usualMargin} from '../search/rules.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import {nameOf} from '../sweep/sweep.ts';
import {atBestOf, decisiveFor} from './compare/at-best.ts';
import {
  type Axes,
  belongs,
  type Conditions,
  conditionsInWords,
  conditionsOf,
  settled,
  tunedOf,
} from './compare/conditions.ts';
import {objectiveFirst, withMeans} from './compare/objective.ts';
import {haveOnlyProgressed, isSameRun} from './compare/progressed.ts';
import {Standing} from './compare/standing.ts';
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
  const earlier = last.get(run.places);
  const isSame = earlier !== undefined && isSameRun(earlier.run, run);
  if (isSame && haveOnlyProgressed(earlier.run.trials, run.trials)) {
    compared.set(run, earlier.found);
    last.set(run.places, {...earlier, run});
    return earlier.found;
  }
  const made = comparisonsOf(run, earlier?.standing, isSame ? earlier.groups : new Map());
  compared.set(run, made.found);
  last.set(run.places, {run, ...made});
  return made.found;
}

/** What is kept of a run's comparisons for those of its next state: of thousands of trials few have changed by then. */
interface Kept {
  found: readonly Comparison[];
  standing: Standing;
  /** What was made of each group, null where there was nothing to say, and of which trials. */
  groups: ReadonlyMap<string, {own: readonly TrialView[]; comparison: Comparison | null}>;
}

/** A state never changes, and what is shown of it asks for its comparisons several times. */
const compared = new WeakMap<RunState, readonly Comparison[]>();
/** By the places of its trials, which states of one run share: the last one that was compared. */
const last = new WeakMap<RunState['places'], Kept & {run: RunState}>();

function comparisonsOf(run: RunState, known: Standing | undefined, earlier: Kept['groups']): Kept {
  const state = withMeans(countedRun(run));
  const standing = known?.holdsFor(state) ? known : new Standing(state);
  const judging = judgingOf(state);
  const groups: Map<string, {own: readonly TrialView[]; comparison: Comparison | null}> = new Map();
  for (const group of groupsOf(state, standing)) {
    const key = JSON.stringify(group);
    const own = standing.under(group, state);
    const before = earlier.get(key);
    // Trials of other groups say which axes there are, and so what is told of these.
    const isKept = standing === known && before !== undefined && haveOnlyProgressed(before.own, own);
    groups.set(key, {
      own,
      comparison: isKept ? before.comparison : comparisonOf(state, group, own, {standing, judging}),
    });
  }
  const comparisons = [...groups.values()].flatMap(({comparison}) => comparison ?? []);
  return {found: atDecisive(objectiveFirst(comparisons, state)), standing, groups};
}

/** Whatever has a value under some conditions. */
function groupsOf(state: RunState, standing: Standing): Group[] {
  const isEvaluated = evaluates(state);
  const groups = new Map<string, Group>();
  for (const {trial, evaluations} of state.trials) {
    const {conditions, key} = standing.conditionsOf(trial);
    for (const {task, metric} of isEvaluated ? evaluations : [training]) {
      const name = `${JSON.stringify([task, metric])} ${key}`;
      if (!groups.has(name)) groups.set(name, {task, metric, ...conditions});
    }
  }
  for (const {task, metric, ...one} of state.aggregates) {
    const conditions = conditionsOf(one, standing.axes);
    const name = `${JSON.stringify([task, metric])} ${JSON.stringify(conditions)}`;
    if (!groups.has(name)) groups.set(name, {task, metric, ...conditions});
  }
  return settled([...groups.values()], [...state.trials.map(({trial}) => trial), ...state.aggregates]);
}

function comparisonOf(
  state: RunState,
  group: Group,
  own: readonly TrialView[],
  {standing: {axes}, judging}: {standing: Standing; judging: Judging},
): Comparison | null {
  const curves = curvesOf(state, group, own, {axes, margin: judging.margin});
  if (!curves.some(curve => curve.peak)) return null;
  const judged = judgedBy(judging, state, own);
  const spread = spreadOf(curves, group.metric, judged);
  const [challenged, left] = [challengedIn(state, own), leftIn(state, own, axes)];
  const beside = state.parts && {isBeside: true as const};
  return {...group, curves, spread, judging: judged, challenged, left, isUnderWay: isUnderWay(state, own), ...beside};
}

/** Where another measure decides, each at the rates that are best by it. */
function atDecisive(ordered: readonly Comparison[]): Comparison[] {
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

function curvesOf(
  state: RunState,
  group: Group,
  own: readonly TrialView[],
  {axes, margin}: {axes: Axes; margin: number},
): MethodCurve[] {
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
  for (const view of own) {
    const {trial} = view;
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
