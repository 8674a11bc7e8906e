/** A run's jobs in Slurm's queue. */

import {elementOf} from '../../../core/run/tasks/elements.ts';
import type {JobStatus} from '../../../core/run/tasks/status.ts';
import type {Submission} from '../facts.ts';
import {isOver, type QueuedJob} from './commands.ts';
import {queueOf} from './queue.ts';

/** What is shown of a task. */
export interface QueuedTask {
  /** Element of the array, e.g. `12_3`. */
  job: string;
  /** Why it waits; null where it does not. */
  reason: string | null;
  node: string | null;
  isRunning: boolean;
}

/** A run as far as a scheduler has it. */
export interface Handed {
  submitted: readonly Submission[];
  tasks: readonly {task: string}[];
}

export interface Queued {
  tasks: Map<string, QueuedTask>;
  jobs: JobStatus[];
}

/** What Slurm says of a run, of the last minute; null where it cannot be asked, or has nothing of it. */
export async function queuedOf(folder: string, state: Handed): Promise<Queued | null> {
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

/** An array is one job, in the state of its element that is furthest. */
function shownJobs({submitted}: Pick<Handed, 'submitted'>, live: readonly QueuedJob[]): JobStatus[] {
  const kinds = new Map<string, JobStatus['kind']>();
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
