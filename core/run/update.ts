/** What changed between two states of a run, so that a page follows it: a snapshot first, increments after. */
import type {Curvature, RunState, TrialView} from './fold.ts';
import {bucketLimit, coarsen, emptySeries, type Series} from './series/series.ts';

/** Points of the curves of one kind, of all trials together: what a page holds and draws without being slow. */
const pointsInAll = 500_000;
/** Points of a curve: all there are, and fewer in runs of many trials. Few numbers, so that they seldom change in a run. */
const limits = [bucketLimit, 200, 100, 50];

/** What charts are drawn of: no page shows the extremes within a bucket. */
type Columns = Pick<Series, 'steps' | 'means' | 'counts'>;
const columns = ['steps', 'means', 'counts'] as const;

/** The curves that a trial has. */
export type CurveName = 'losses' | 'gradNorms' | 'rates';
const curveNames = ['losses', 'gradNorms', 'rates'] as const;

/** The buckets from `from` on; those before it stand. */
interface SeriesUpdate extends Columns {
  stride: number;
  from: number;
}

export interface TrialUpdate {
  place: number;
  view: Omit<TrialView, CurveName>;
  /** Those that are shown; the others are empty. */
  curves: Partial<Record<CurveName, SeriesUpdate>>;
}

/** Plain data: it can be sent to another process. */
export interface RunUpdate {
  /** What changed of it. */
  run: Partial<Omit<RunState, 'trials' | 'curvature' | 'places'>>;
  /** How many trials there are now; places and order stand unless `trials` names one. */
  trialCount: number;
  trials: TrialUpdate[];
  /** All rows, where any changed. */
  curvature: Curvature[] | null;
}

/**
 * The update that leads from `before` to `after`; from `emptyRun` it is a snapshot.
 * @param shown the curves that are shown: a page draws one kind at a time, and each is most of what there is to send
 */
export function difference(
  before: RunState,
  after: RunState,
  shown: ReadonlySet<CurveName> = new Set(curveNames),
): RunUpdate {
  return merged([...inPieces(before, after, shown, Number.POSITIVE_INFINITY)].map(({update}) => update));
}

/**
 * The same in pieces of `most` trials, each made when it is asked for, so that whoever sends them has others take their turn;
 * `merged` makes them whole again. `more`: others follow.
 */
export function* inPieces(
  before: RunState,
  after: RunState,
  shown: ReadonlySet<CurveName>,
  most: number,
): Generator<{update: RunUpdate; more: boolean}> {
  const {trials, curvature, places: _, ...run} = after;
  // A page that draws finer lines, or coarser ones, gets them anew.
  const isAnew = limitIn(before) !== limitIn(after);
  const changed = trials.flatMap((view, place) => (view === before.trials[place] && !isAnew ? [] : [place]));
  for (let at = 0; at === 0 || at < changed.length; at += most) {
    const isFirst = at === 0;
    const update: RunUpdate = {
      run: isFirst ? changedOf(before, run) : {},
      trialCount: trials.length,
      trials: changed.slice(at, at + most).map(place => trialUpdate(isAnew ? null : before, after, place, shown)),
      curvature: !isFirst || curvature === before.curvature ? null : curvature,
    };
    yield {update, more: at + most < changed.length};
  }
}

/** Of thousands of trials the ids that a start selects are much, and the same all the time. */
function changedOf(before: RunState, run: Required<RunUpdate>['run']): RunUpdate['run'] {
  const keys = Object.keys(run) as (keyof typeof run)[];
  return Object.fromEntries(keys.flatMap(key => (run[key] === before[key] ? [] : [[key, run[key]]])));
}

/** The state after an update, but for minima and maxima of its curves, which are empty; whatever did not change is shared with `before`. */
export function updated(before: RunState, update: RunUpdate): RunState {
  const trials = before.trials.slice(0, update.trialCount);
  for (const {place, view, curves} of update.trials) {
    const known = before.trials[place];
    trials[place] = {
      ...view,
      losses: joined(known?.losses, curves.losses),
      gradNorms: joined(known?.gradNorms, curves.gradNorms),
      rates: joined(known?.rates, curves.rates),
    };
  }
  const places: RunState['places'] = Object.create(null);
  trials.forEach(({trial}, place) => {
    places[trial.id] = place;
  });
  return {...before, ...update.run, trials, places, curvature: update.curvature ?? before.curvature};
}

/** The whole of what came in pieces. */
export function merged(pieces: readonly RunUpdate[]): RunUpdate {
  const [first, ...rest] = pieces;
  return {...first!, trials: [first!, ...rest].flatMap(({trials}) => trials)};
}

function trialUpdate(
  before: RunState | null,
  after: RunState,
  place: number,
  shown: ReadonlySet<CurveName>,
): TrialUpdate {
  const [known, now] = [before?.trials[place], after.trials[place]!];
  const {losses: _, gradNorms: __, rates: ___, ...view} = now;
  // A trial that started again has curves of its own.
  const same = known?.trial.id === view.trial.id && known.startedAt === view.startedAt;
  const curves: TrialUpdate['curves'] = {};
  const limit = limitIn(after);
  for (const name of curveNames)
    if (shown.has(name))
      curves[name] = seriesUpdate(same ? coarsen(known[name], limit) : undefined, coarsen(now[name], limit));
  return {place, view, curves};
}

/** No finer than a page of so many trials can show. */
function limitIn({trials}: RunState): number {
  return limits.find(points => points * trials.length <= pointsInAll) ?? limits.at(-1)!;
}

/** Of a curve that only grew, all but its last bucket stands. */
function seriesUpdate(known: Series | undefined, after: Series): SeriesUpdate {
  const grew = known !== undefined && known.stride === after.stride && known.steps.length <= after.steps.length;
  const from = grew ? Math.max(0, known.steps.length - 1) : 0;
  const [steps, means, counts] = [after.steps.slice(from), after.means.slice(from), after.counts.slice(from)];
  return {stride: after.stride, from, steps, means, counts};
}

function joined(known: Series | undefined, update: SeriesUpdate | undefined): Series {
  if (!update) return emptySeries;
  const {from, ...rest} = update;
  const whole = {...rest, minima: [], maxima: []};
  if (!known || from === 0) return whole;
  for (const column of columns) whole[column] = [...known[column].slice(0, from), ...rest[column]];
  return whole;
}
