/** Whether a run has only gone on between two states: what is compared has not changed then. */
import type {RunState, TrialView} from '../fold.ts';

/** What moves in a run without a word on what its trials came to. */
const moving: ReadonlySet<string> = new Set<keyof RunState>([
  ...(['trials', 'lastAt', 'seconds', 'memory', 'preparing', 'notes', 'curvature', 'costs'] as const),
  ...(['tasks', 'task', 'submitted'] as const),
]);

/** What moves in a trial that trains: its results are at its end. */
const training: ReadonlySet<string> = new Set<keyof TrialView>([
  ...(['steps', 'loss', 'gradNorm', 'losses', 'gradNorms', 'rates', 'tokens', 'seconds'] as const),
  ...(['warmAt', 'lastStepAt'] as const),
]);

/** Everything but these is the very same. */
function isSame<T extends object>(before: T, after: T, but: ReadonlySet<string>): boolean {
  const keys = Object.keys({...before, ...after}) as (keyof T & string)[];
  return keys.every(key => before[key] === after[key] || but.has(key));
}

/** The same run, whatever has become of its trials. */
export function isSameRun(before: RunState, after: RunState): boolean {
  return isSame(before, after, moving);
}

/** The same trials, of which nothing new is to be said but how far they are. */
export function haveOnlyProgressed(before: readonly TrialView[], after: readonly TrialView[]): boolean {
  return (
    before.length === after.length &&
    after.every((view, place) => {
      const known = before[place]!;
      return view === known || (view.state === 'running' && isSame(known, view, training));
    })
  );
}
