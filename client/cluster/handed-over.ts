/** A run that was handed to a scheduler, as far as its own files and the last look at the queue tell. */
import type {RunState} from '../../core/run/fold.ts';
import type {Status} from '../../core/run/tasks/status.ts';
import type {TaskView} from '../../core/run/tasks/task-views.ts';

/** Tasks with trials that are to be trained, of which something is left; failed ones are left to the user. */
export function leftOf({tasks, selected}: Pick<RunState, 'tasks' | 'selected'>): TaskView[] {
  const asked = new Set(selected);
  return tasks.filter(
    ({state, trials}) => state !== 'finished' && state !== 'failed' && trials.some(id => asked.has(id)),
  );
}

/**
 * Whether it goes on without anybody here: something is left that a scheduler has, or that the user handed to one that cannot be
 * asked. `queue`: what Slurm said of it since it was last handed over; undefined where it was not asked.
 */
export function isAwaited(
  state: Pick<RunState, 'tasks' | 'selected' | 'submitted'>,
  queue: Pick<Status, 'scheduler' | 'jobs'> | undefined,
): boolean {
  const last = state.submitted.at(-1);
  if (last === undefined || leftOf(state).length === 0) return false;
  return last.job === null || queue === undefined || queue.scheduler === null || queue.jobs.length > 0;
}
