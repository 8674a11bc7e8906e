/** `status`, `attach`, `cancel`: a run seen from another process, on any machine that sees its folder. */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {SweepError} from '../../core/error.ts';
import type {RunEvent, TrialState} from '../../core/run/events.ts';
import {emptyRun, fold, interrupted} from '../../core/run/fold.ts';
import {count, formatSeconds} from '../../core/run/format.ts';
import {progress} from '../../core/run/progress.ts';
import {readEvents} from '../store/events.ts';
import {eventsName} from '../store/names.ts';
import {isLive, readRun, refuseNoRun} from '../store/run.ts';
import {askToStop} from '../store/stop-file.ts';

export interface Status {
  state: 'waiting' | 'running' | 'finished' | 'failed' | 'stopped';
  name: string;
  /** How many trials are in each state. */
  trials: Partial<Record<TrialState, number>>;
  /** Of runs over several machines. */
  tasks: [];
  jobs: [];
  /** Seconds left; null where it is not known or nothing runs. */
  eta_s: number | null;
}

/** @throws SweepError `no-run` */
export async function statusOf(folder: string): Promise<Status> {
  const {state, live} = await readRun(folder);
  const trials: Status['trials'] = {};
  for (const view of state.trials) if (!view.dropped) trials[view.state] = (trials[view.state] ?? 0) + 1;
  const left = live ? progress(state, Date.now()).secondsLeft : null;
  return {state: state.state, name: state.name, trials, tasks: [], jobs: [], eta_s: left};
}

/** The status as a line: `desc is running: 37 of 120 trials finished, 2 running, 81 waiting; 1 min 20 s left.` */
export function statusInWords({state, name, trials, eta_s}: Status): string {
  const total = Object.values(trials).reduce((sum, number) => sum + number, 0);
  const {finished = 0, ...others} = trials;
  const states = Object.entries(others).map(([other, number]) => `${number} ${other}`);
  const left = eta_s === null ? '' : `; ${formatSeconds(eta_s)} left`;
  return `${name} is ${state}: ${[`${finished} of ${count(total, 'trial')} finished`, ...states].join(', ')}${left}.`;
}

const lookMilliseconds = 500;

/**
 * Follows a run until it ends, wherever it runs: `onEvent` hears every event, those that are stored already first. How it ended;
 * `left` where the reader left before. @throws SweepError `no-run`
 */
export async function follow(
  folder: string,
  onEvent: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<Status['state'] | 'left'> {
  refuseNoRun(folder);
  let state = emptyRun;
  for (let read = 0; ; ) {
    // Asked before reading: what a run stores last is not missed.
    const live = isLive(folder);
    const {wholeBytes} = await readEvents(
      join(folder, eventsName),
      event => {
        state = fold(state, event);
        onEvent(event);
      },
      read,
    );
    read += wholeBytes;
    if (!live) return interrupted(state).state;
    if (!(await paused(signal))) return 'left';
  }
}

/**
 * Asks the run in a folder to stop, and waits until it has. False where none runs there.
 * @throws SweepError `no-run`, `cannot-write`, `stopped` where the signal came first
 */
export async function cancelRun(folder: string, signal: AbortSignal): Promise<boolean> {
  refuseNoRun(folder);
  if (!isLive(folder)) return false;
  askToStop(folder);
  while (isLive(folder))
    if (!(await paused(signal)))
      throw new SweepError('stopped', 'The run was asked to stop and will; it has not ended yet.');
  return true;
}

/** A moment; false where the signal comes first. */
async function paused(signal: AbortSignal): Promise<boolean> {
  return sleep(lookMilliseconds, true, {signal}).catch(() => false);
}
