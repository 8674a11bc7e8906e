import {isEnded} from '../core/run/events.ts';
import type {RunState} from '../core/run/fold.ts';
import {formatPreparing, formatSeconds} from '../core/run/format.ts';
import type {Progress} from '../core/run/progress.ts';

/** What a screen reader says of a sweep's row: its name, then how it stands. */
export function sweepLabel(name: string, hasErrors: boolean, isAlive: boolean, description: string): string {
  const state = hasErrors ? 'has errors' : isAlive ? 'running' : description === '' ? 'not run yet' : '';
  return [name, state, hasErrors ? '' : description].filter(Boolean).join(', ');
}

/** While a long run is being read: `reading, 42 %`. */
export function readingText(part: number): string {
  return `reading, ${Math.floor(100 * part)} %`;
}

/** How a run stands, in a few words: `37/120 · 1 min 20 s left`. `awaited`: a scheduler has it. */
export function statusText(
  {state, preparing, trials}: Pick<RunState, 'state' | 'preparing' | 'trials'>,
  {trialsDone, trialsTotal, secondsLeft}: Progress,
  awaited = false,
): string {
  if (preparing) return formatPreparing(preparing);
  if (awaited && state !== 'running') return `in the queue · ${trialsDone}/${trialsTotal}`;
  if (state === 'waiting') return 'starting';
  if (state === 'running') {
    const left = secondsLeft === null ? '' : ` · ${formatSeconds(secondsLeft)} left`;
    return `${trialsDone}/${trialsTotal}${left}`;
  }
  const done = trials.filter(view => isEnded(view.state)).length;
  return `${state} · ${done}/${trials.length}`;
}
