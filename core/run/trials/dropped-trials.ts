/** Trials that the sweep file no longer has: kept, shown apart, and of no weight in what is compared. */
import {startText} from '../compare/starts.ts';
import type {Curvature, RunState, TrialView} from '../fold.ts';
import {formatLoss, formatMeasure, formatValue} from '../format.ts';

export const droppedTitle = 'No longer in the sweep file';
export const droppedCaption =
  'They are kept but count in no comparison; where the file takes them back, they count again without training.';

export const droppedColumns = [
  {title: 'trial', align: 'left'},
  {title: 'state', align: 'left'},
  {title: 'result', align: 'left'},
] as const;

/** One row a trial. */
export function droppedRows({trials}: Pick<RunState, 'trials'>): string[][] {
  return trials.filter(({dropped}) => dropped).map(view => [view.trial.id, view.state, resultOf(view)]);
}

function resultOf({evaluations, loss}: TrialView): string {
  const last = evaluations.at(-1);
  if (last && last.value !== null)
    return `${formatMeasure(last.task, last.metric)} ${formatValue(last.value, last.metric)}`;
  return loss === null ? '–' : `loss ${formatLoss(loss)}`;
}

/** The run without them, and without the curvature that was probed for them alone; the run itself where there are none. */
export function countedRun(state: RunState): RunState {
  const known = counted.get(state);
  if (known) return known;
  const made = state.trials.some(({dropped}) => dropped) ? withoutDropped(state) : state;
  counted.set(state, made);
  return made;
}

/** A state never changes, and whatever is shown of it asks for this. */
const counted = new WeakMap<RunState, RunState>();

function withoutDropped(state: RunState): RunState {
  const trials = state.trials.filter(({dropped}) => !dropped);
  const places: RunState['places'] = Object.create(null);
  trials.forEach(({trial}, place) => {
    places[trial.id] = place;
  });
  return {...state, trials, places, curvature: state.curvature.filter(row => !isDropped(row, state, places))};
}

function isDropped(row: Curvature, state: RunState, places: RunState['places']): boolean {
  if (row.trial !== undefined) return places[row.trial] === undefined;
  const own = state.trials.filter(({trial}) => {
    const {method, rank, batchSize, seed} = trial;
    const isAlike = method === row.method && rank === row.rank && batchSize === row.batchSize && seed === row.seed;
    return isAlike && startText(trial) === startText(row);
  });
  return own.length > 0 && own.every(({dropped}) => dropped);
}
