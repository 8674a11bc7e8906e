/** Before a task is taken over: whether somebody still works on it. */
import {statSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {SweepError} from '../../../core/error.ts';
import type {RunState} from '../../../core/run/fold.ts';
import type {TaskView} from '../../../core/run/tasks/task-views.ts';
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
  signal: AbortSignal;
  /** Hears once that a task is waited for. */
  waits(task: string, view: Pick<TaskView, 'attempt' | 'host'>): void;
}

/**
 * Resolves when nobody works on a task any more: its last attempt has said its end, its process or its job is known to be gone, or
 * its file has not grown for a minute of this machine's own.
 * @param plan of this task alone, as core/run/tasks/join makes it
 * @throws SweepError `stopped` where the signal comes first
 */
export async function whenFree(folder: string, plan: RunState, waiting: Waiting): Promise<void> {
  const {task} = plan.tasks[0]!;
  let size = -1;
  let attempt = 0;
  let grewAt = performance.now();
  let last: TaskView | undefined;
  let told = false;
  for (;;) {
    attempt = lastAttempt(folder, task);
    if (attempt === 0) return;
    const file = attemptFile(folder, {task, attempt});
    const now = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
    if (now !== size || last?.attempt !== attempt) {
      [size, grewAt] = [now, performance.now()];
      last = await viewOf(file, plan);
    }
    if (isGone(last, attempt, waiting)) return;
    if (performance.now() - grewAt > silentMilliseconds) return;
    if (!told) waiting.waits(task, {attempt, host: last.host});
    told = true;
    if (!(await sleep(lookMilliseconds, true, {signal: waiting.signal}).catch(() => false)))
      throw new SweepError('stopped', `The work was stopped while it waited for ${task}.`);
  }
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
