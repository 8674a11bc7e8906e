/** Before a task is taken over: whether somebody still works on it. */
import {statSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {SweepError} from '../../../core/error.ts';
import type {RunState} from '../../../core/run/fold.ts';
import type {TaskView} from '../../../core/run/tasks/task-views.ts';
import {sizeOfRegular} from '../../files/door.ts';
import {isMarkAlive} from '../../process/processes.ts';
import {readEvents} from '../events.ts';
import {Folding} from '../fold/folding.ts';
import {attemptFile, lastAttempt, silentMilliseconds} from './task-files.ts';

const lookMilliseconds = 500;

export interface Waiting {
  /** The scheduler's name of this job: an earlier attempt of the same one is gone. */
  job: string | undefined;
  /** Whether another job is known to be gone. */
  isOver?(job: string): boolean;
  /** Milliseconds without a new byte after which an attempt counts as gone. */
  silent?: number;
  signal: AbortSignal;
  /** Hears once that a task is waited for. */
  waits(task: string, view: Pick<TaskView, 'attempt' | 'host'>): void;
}

/**
 * Resolves when nobody works on a task any more: its last attempt has said its end, its process or its job is known to be gone, or
 * its file has not grown for a minute of this machine's own. The number of that attempt; 0 where there was none.
 * @param plan of this task alone, as core/run/tasks/join makes it
 * @throws SweepError `stopped` where the signal comes first
 */
export async function whenFree(folder: string, plan: RunState, waiting: Waiting): Promise<number> {
  const {task} = plan.tasks[0]!;
  let size = -1;
  let looked = 0;
  let grewAt = performance.now();
  let last: TaskView | undefined;
  let told = false;
  for (;;) {
    const attempt = lastAttempt(folder, task);
    if (attempt === 0) return 0;
    const file = attemptFile(folder, {task, attempt});
    const now = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
    if (now !== size || looked !== attempt) {
      [size, looked, grewAt] = [now, attempt, performance.now()];
      last = await viewOf(file, plan);
    }
    if (isGone(last!, attempt, waiting)) return attempt;
    if (performance.now() - grewAt > (waiting.silent ?? silentMilliseconds)) return attempt;
    if (!told) waiting.waits(task, {attempt, host: last!.host});
    told = true;
    await pause(task, waiting.signal);
  }
}

/**
 * The number of a task's last attempt, once that has told something: whoever claims a task says so a moment later, unless it is gone,
 * which a minute of silence tells. 0 where there is none. @throws SweepError `stopped` where the signal comes first
 */
export async function whenSpoken(
  folder: string,
  task: string,
  signal: AbortSignal,
  silent = silentMilliseconds,
): Promise<number> {
  let looked = 0;
  let since = performance.now();
  for (;;) {
    const attempt = lastAttempt(folder, task);
    if (attempt === 0 || (sizeOfRegular(attemptFile(folder, {task, attempt})) ?? 0) > 0) return attempt;
    if (attempt !== looked) [looked, since] = [attempt, performance.now()];
    if (performance.now() - since > silent) return attempt;
    await pause(task, signal);
  }
}

/** @throws SweepError `stopped` */
async function pause(task: string, signal: AbortSignal): Promise<void> {
  if (!(await sleep(lookMilliseconds, true, {signal}).catch(() => false)))
    throw new SweepError('stopped', `The work was stopped while it waited for ${task}.`);
}

function isGone(
  {state, attempt: known, process, job}: TaskView,
  attempt: number,
  {job: own, isOver}: Pick<Waiting, 'job' | 'isOver'>,
): boolean {
  // A file without a line yet says nothing.
  if (known !== attempt) return false;
  if (state !== 'running' || (own !== undefined && job === own)) return true;
  if (job !== null && isOver?.(job)) return true;
  return process !== null && isMarkAlive(process) === false;
}

async function viewOf(file: string, plan: RunState): Promise<TaskView> {
  const folding = new Folding({...plan, trials: [], places: {}});
  await readEvents(file, event => {
    if (event.event === 'task-started' || event.event === 'task-ended') folding.add(event);
  });
  return folding.state().tasks[0]!;
}
