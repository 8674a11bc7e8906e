/** A sweep file beside its run: which of its trials are stored, and which stored ones it no longer has. */
import {cellOf} from '../../search/cells.ts';
import {writeRate} from '../../sweep/rates.ts';
import {trialsAmong} from '../../sweep/recognise.ts';
import {isTrial, type StoredTrial, type Sweep, type Trial} from '../../sweep/sweep.ts';
import {expandTrials} from '../../sweep/trials.ts';
import type {RunState} from '../fold.ts';

/** The trials of earlier starts, each with its value of every axis as far as that is known; none where no trial has begun yet. */
export function storedTrials({trials, fixed}: Pick<RunState, 'trials' | 'fixed'>): Trial[] {
  if (!trials.some(({state}) => state !== 'waiting')) return [];
  const {model, ...settings} = fixed;
  return ownTrials(trials).map(trial => ({
    ...trial,
    ...(model !== undefined && {model: trial.model ?? model}),
    settings: {...settings, ...trial.settings},
  }));
}

/** Those that can be trained here: all of a run that is not imported. */
export function ownTrials(trials: readonly {trial: StoredTrial}[]): Trial[] {
  return trials.map(({trial}) => trial).filter(isTrial);
}

/** Every trial of the sweep under the ids and rates that they have in its run, where it has one. */
export function trialsOf(sweep: Sweep, state: Stored | null): readonly Trial[] {
  const known = recognisedIn.get(sweep);
  if (known && hasSameTrials(known.state, state)) return known.trials;
  const trials = trialsAmong(sweep, state ? storedTrials(state) : []);
  recognisedIn.set(sweep, {state, trials});
  return trials;
}

type Stored = Pick<RunState, 'trials' | 'fixed'>;

/** A sweep never changes, and its run has other trials at a start only. */
const recognisedIn = new WeakMap<Sweep, {state: Stored | null; trials: readonly Trial[]}>();

function hasSameTrials(before: Stored | null, after: Stored | null): boolean {
  if (!before || !after) return before === after;
  const hasBegun = ({trials}: Stored): boolean => trials.some(({state}) => state !== 'waiting');
  return (
    before.fixed === after.fixed &&
    before.trials.length === after.trials.length &&
    after.trials.every(({trial}, place) => trial === before.trials[place]!.trial) &&
    hasBegun(before) === hasBegun(after)
  );
}

/** Which rates of the file are written otherwise than stored, in a sentence; null where none is. */
export function ratesInWords(sweep: Pick<Sweep, 'methods'>, trials: readonly Trial[]): string | null {
  const taken = new Map<string, string>();
  expandTrials(sweep).forEach(({learningRate}, place) => {
    const [written, stored] = [learningRate, trials[place]?.learningRate ?? learningRate].map(writeRate);
    if (written !== stored) taken.set(written!, stored!);
  });
  if (taken.size === 0) return null;
  const list = [...taken].slice(0, 5).map(([written, stored]) => `${written} is ${stored}`);
  const more = taken.size > list.length ? ` and ${taken.size - list.length} more` : '';
  return `Earlier trials keep their learning rates, and further ones share them: ${list.join(', ')}${more}.`;
}

/** Of the trials that a run added to those of its file: those at rates that the file (its trials are `trials`) still has. */
export function furtherTrials(trials: readonly Trial[], state: Pick<RunState, 'trials' | 'added'>): Trial[] {
  if (state.added.length === 0) return [];
  const axis = (trial: Trial) => `${cellOf(trial)} ${trial.learningRate}`;
  const axes = new Set(trials.map(axis));
  const own = new Set(trials.map(({id}) => id));
  const added = new Set(state.added);
  return ownTrials(state.trials).filter(trial => added.has(trial.id) && !own.has(trial.id) && axes.has(axis(trial)));
}

/** The state as a sweep file with these trials sees it, whatever file the last start had. */
export function seenBy(state: RunState, trials: readonly Trial[]): RunState {
  const ids = new Set([...trials, ...furtherTrials(trials, state)].map(({id}) => id));
  const views = state.trials.map(view => {
    const dropped = !ids.has(view.trial.id);
    return view.dropped === dropped ? view : {...view, dropped};
  });
  return views.every((view, place) => view === state.trials[place]) ? state : {...state, trials: views};
}
