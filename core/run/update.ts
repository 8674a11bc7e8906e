/** What changed between two states of a run, so that a page follows it: a snapshot first, increments after. */
import {type Curvature, emptyRun, type RunState, type TrialView} from './fold.ts';
import {emptySeries, type Series} from './series/series.ts';

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
  run: Omit<RunState, 'trials' | 'curvature' | 'places'>;
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
  const {trials, curvature, places: _, ...run} = after;
  return {
    run,
    trialCount: trials.length,
    trials: trials.flatMap((view, place) => {
      const known = before.trials[place];
      return view === known ? [] : [trialUpdate(known, view, place, shown)];
    }),
    curvature: curvature === before.curvature ? null : curvature,
  };
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
  return {...emptyRun, ...update.run, trials, places, curvature: update.curvature ?? before.curvature};
}

/** An update in pieces of so many trials at most, so that whoever sends it has others take their turn; `merged` makes it whole again. */
export function* inPieces(update: RunUpdate, most: number): Generator<RunUpdate> {
  const {trials} = update;
  for (let at = 0; at === 0 || at < trials.length; at += most)
    yield {...update, trials: trials.slice(at, at + most), ...(at > 0 && {curvature: null})};
}

/** The whole of what came in pieces. */
export function merged(pieces: readonly RunUpdate[]): RunUpdate {
  const [first, ...rest] = pieces;
  return {...first!, trials: [first!, ...rest].flatMap(({trials}) => trials)};
}

function trialUpdate(
  known: TrialView | undefined,
  after: TrialView,
  place: number,
  shown: ReadonlySet<CurveName>,
): TrialUpdate {
  const {losses: _, gradNorms: __, rates: ___, ...view} = after;
  // A trial that started again has curves of its own.
  const same = known?.trial.id === view.trial.id && known.startedAt === view.startedAt;
  const curves: TrialUpdate['curves'] = {};
  for (const name of curveNames)
    if (shown.has(name)) curves[name] = seriesUpdate(same ? known[name] : undefined, after[name]);
  return {place, view, curves};
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
