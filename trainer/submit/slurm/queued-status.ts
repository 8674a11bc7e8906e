/** How a run stands, with what Slurm says of its jobs. */
import {count} from '../../../core/run/format.ts';
import type {Status, TaskStatus} from '../../../core/run/tasks/status.ts';
import {submissionsIn} from '../../store/tasks/submissions.ts';
import {type Queued, type QueuedTask, queuedOf} from './in-queue.ts';

/** As it stands, where Slurm knows nothing of it. */
export async function withQueue(folder: string, status: Status): Promise<Status> {
  if (status.tasks.length === 0) return status;
  const submitted = await submissionsIn(folder);
  const queued = await queuedOf(folder, {submitted, tasks: status.tasks});
  return queued === null ? status : joinedWith(status, queued);
}

/** Pure: the status of the folder's files, and the queue of the last minute. */
export function joinedWith(status: Status, {tasks, jobs}: Queued): Status {
  const isOpen = status.state === 'stopped' || status.state === 'waiting';
  return {
    ...status,
    state: isOpen && jobs.length > 0 ? 'waiting' : status.state,
    tasks: status.tasks.map(task => taskWith(task, tasks.get(task.task))),
    scheduler: 'slurm',
    jobs,
  };
}

/** What ended stays so, whatever the queue said up to a minute ago. */
function taskWith(task: TaskStatus, queued: QueuedTask | undefined): TaskStatus {
  if (queued === undefined || task.state === 'finished' || task.state === 'failed') return task;
  const {job, reason, node, isRunning} = queued;
  return {
    ...task,
    job,
    reason,
    state: isRunning ? task.state : 'waiting',
    host: isRunning ? (task.host ?? node) : task.host,
  };
}

/** `Slurm: 3 tasks run, 5 wait (Priority); job 14 (relay) waits (Dependency).` Nothing where nothing is in the queue. */
export function queueInWords({tasks, jobs}: Status): string[] {
  if (jobs.length === 0) return [];
  const waiting = tasks.filter(({state, reason}) => state === 'waiting' && reason !== null);
  const reasons = [...new Set(waiting.flatMap(({reason}) => reason ?? []))].join(', ');
  const running = tasks.filter(({state}) => state === 'running').length;
  const others = jobs.flatMap(({job, kind, state, reason}) =>
    kind === 'tasks'
      ? []
      : [
          `the ${kind === 'relay' ? 'relay' : 'preparation'} (job ${job}) is ${state.toLowerCase()}${reason ? ` (${reason})` : ''}`,
        ],
  );
  const wait =
    waiting.length > 0 ? [`${count(waiting.length, 'task')} wait${waiting.length === 1 ? 's' : ''} (${reasons})`] : [];
  return [`Slurm: ${[`${count(running, 'task')} run${running === 1 ? 's' : ''}`, ...wait, ...others].join('; ')}.`];
}
