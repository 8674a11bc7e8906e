import {isEnded} from '../core/run/events.ts';
import type {RunState} from '../core/run/fold.ts';
import {formatPreparing, formatSeconds} from '../core/run/format.ts';
import type {Progress} from '../core/run/progress.ts';

/** How a run stands, in a few words: `37/120 · 1 min 20 s left`. */
export function statusText(
  {state, preparing, trials}: Pick<RunState, 'state' | 'preparing' | 'trials'>,
  {trialsDone, trialsTotal, secondsLeft}: Progress,
): string {
  if (preparing) return formatPreparing(preparing);
  if (state === 'waiting') return 'starting';
  if (state === 'running') {
    const left = secondsLeft === null ? '' : ` · ${formatSeconds(secondsLeft)} left`;
    return `${trialsDone}/${trialsTotal}${left}`;
  }
  const done = trials.filter(view => isEnded(view.state)).length;
  return `${state} · ${done}/${trials.length}`;
}
