/** A run's jobs in Slurm's queue: seen, and taken out. */
import {join} from 'node:path';
import type {RunState} from '../../../core/run/fold.ts';
import {count} from '../../../core/run/format.ts';
import {discard} from '../../files/write-whole.ts';
import {elementOf} from '../facts.ts';
import {openRecord} from '../record.ts';
import {cancelJobs, isOver, type QueuedJob, queueHere} from './commands.ts';
import {queueFile, queueOf} from './queue.ts';

/** What is shown of a task. */
export interface QueuedTask {
  /** Element of the array, e.g. `12_3`. */
  job: string;
  /** Why it waits; null where it does not. */
  reason: string | null;
  node: string | null;
  isRunning: boolean;
}

/** A job of the run: its array as a whole, its relay, its preparation. */
export interface ShownJob {
  job: string;
  kind: 'prepare' | 'tasks' | 'relay';
  /** As Slurm writes it; of an array that of the element that is furthest. */
  state: string;
  reason: string | null;
}

export interface Queued {
  tasks: Map<string, QueuedTask>;
  jobs: ShownJob[];
}

/** What Slurm says of a run, of the last minute; null where it cannot be asked, or has nothing of it. */
export async function queuedOf(folder: string, state: RunState): Promise<Queued | null> {
  const queue = await queueOf(folder, state);
  if (queue === null) return null;
  const live = queue.filter(job => !isOver(job));
  const byJob = new Map(live.map(job => [job.job, job]));
  const tasks = state.tasks.flatMap(({task}) => {
    const found = byJob.get(elementOf(state.submitted, task) ?? '');
    return found ? [[task, taskOf(found)] as const] : [];
  });
  return {tasks: new Map(tasks), jobs: shownJobs(state, live)};
}

function taskOf({job, state, reason, node}: QueuedJob): QueuedTask {
  const isRunning = state === 'RUNNING' || state === 'COMPLETING';
  return {job, reason: isRunning ? null : reason, node, isRunning};
}

function shownJobs({submitted}: RunState, live: readonly QueuedJob[]): ShownJob[] {
  const kinds = new Map<string, ShownJob['kind']>();
  for (const {job, prepare, relay} of submitted) {
    if (prepare !== undefined) kinds.set(prepare, 'prepare');
    if (job !== null) kinds.set(job, 'tasks');
    if (relay !== undefined) kinds.set(relay, 'relay');
  }
  return [...kinds].flatMap(([job, kind]) => {
    const own = live.filter(({job: element}) => element.split('_')[0] === job);
    const shown = own.find(({state}) => state === 'RUNNING') ?? own[0];
    return shown ? [{job, kind, state: shown.state, reason: shown.reason}] : [];
  });
}

/**
 * Takes tasks of a run out of the queue, all of them with its relay where none are named. The number of jobs; null where there is no
 * Slurm to ask. @throws SweepError `refused` with Slurm's words
 */
export async function takeOut(folder: string, state: RunState, tasks?: readonly string[]): Promise<number | null> {
  const {submitted} = state;
  if (submitted.every(({job}) => job === null)) return 0;
  const queue = await queueHere();
  if (queue === null) return null;
  const live = queue.filter(job => !isOver(job)).map(({job}) => job);
  const elements = new Set(tasks?.flatMap(task => elementOf(submitted, task) ?? []));
  const jobs = new Set(submitted.flatMap(({job, relay, prepare}) => [job ?? [], relay ?? [], prepare ?? []].flat()));
  const own = tasks ? live.filter(job => elements.has(job)) : live.filter(job => jobs.has(job.split('_')[0]!));
  if (own.length === 0) return 0;
  await cancelJobs(tasks ? own : [...new Set(own.map(job => job.split('_')[0]!))]);
  const record = openRecord(folder);
  record.add([{event: 'note', message: `Cancelled in the queue: ${count(own.length, 'job')}.`}]);
  record.close();
  discard(join(folder, queueFile));
  return own.length;
}
