/** What changed between two states of a run, so that a page follows it: a snapshot first, increments after. */
import {type Curvature, emptyRun, type RunState, type TrialView} from './fold.ts';
import type {Series} from './series/series.ts';

/** What charts are drawn of: no page shows the extremes within a bucket. */
type Columns = Pick<Series, 'steps' | 'means' | 'counts'>;
const columns = ['steps', 'means', 'counts'] as const;

/** The curves that a trial has. */
export type CurveName = 'losses' | 'gradNorms' | 'rates';

/** The buckets from `from` on; those before it stand. */
interface SeriesUpdate extends Columns {
  stride: number;
  from: number;
}

export interface TrialUpdate {
  place: number;
  view: Omit<TrialView, CurveName>;
  curves: Record<CurveName, SeriesUpdate>;
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

/** The update that leads from `before` to `after`; from `emptyRun` it is a snapshot. */
export function difference(before: RunState, after: RunState): RunUpdate {
  const {trials, curvature, places: _, ...run} = after;
  return {
    run,
    trialCount: trials.length,
    trials: trials.flatMap((view, place) => {
      const known = before.trials[place];
      return view === known ? [] : [trialUpdate(known, view, place)];
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

function trialUpdate(known: TrialView | undefined, after: TrialView, place: number): TrialUpdate {
  const {losses, gradNorms, rates, ...view} = after;
  // A trial that started again has curves of its own.
  const same = known?.trial.id === view.trial.id && known.startedAt === view.startedAt;
  return {
    place,
    view,
    curves: {
      losses: seriesUpdate(same ? known.losses : undefined, losses),
      gradNorms: seriesUpdate(same ? known.gradNorms : undefined, gradNorms),
      rates: seriesUpdate(same ? known.rates : undefined, rates),
    },
  };
}

/** Of a curve that only grew, all but its last bucket stands. */
function seriesUpdate(known: Series | undefined, after: Series): SeriesUpdate {
  const grew = known !== undefined && known.stride === after.stride && known.steps.length <= after.steps.length;
  const from = grew ? Math.max(0, known.steps.length - 1) : 0;
  const [steps, means, counts] = [after.steps.slice(from), after.means.slice(from), after.counts.slice(from)];
  return {stride: after.stride, from, steps, means, counts};
}

function joined(known: Series | undefined, {from, ...rest}: SeriesUpdate): Series {
  const whole = {...rest, minima: [], maxima: []};
  if (!known || from === 0) return whole;
  for (const column of columns) whole[column] = [...known[column].slice(0, from), ...rest[column]];
  return whole;
}
