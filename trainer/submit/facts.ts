/** What a relay and a submission by hand go by, out of a run as its folder has it. */
import type {Submitted} from '../../core/run/events.ts';
import {isEnded} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import type {TaskView} from '../../core/run/tasks/task-views.ts';
import type {RelayFacts} from './decide.ts';

/** Steps, evaluations, eigenvalues and ends of trials that are stored. */
export function doneOf({trials, curvature}: RunState): number {
  return trials.reduce(
    (sum, view) => sum + view.steps + view.evaluations.length + (isEnded(view.state) ? 1 : 0),
    curvature.length,
  );
}

/** The tasks with trials that are to be trained: `--only` may have left some with none. */
export function askedTasks({tasks, selected}: RunState): TaskView[] {
  const asked = new Set(selected);
  return tasks.filter(({trials}) => trials.some(id => asked.has(id)));
}

export type Submission = Omit<Submitted, 'event'> & {at?: number};

/** Submissions since somebody last did so by hand: that one, and those of its relays. */
export function sinceByHand(submitted: readonly Submission[]): Submission[] {
  const first = submitted.findLast(({by}) => by === undefined)?.round;
  return first === undefined ? [] : submitted.filter(({round}) => round >= first);
}

/** `closing`: a task that is started again although it has ended, as all others have. */
export function relayFacts(
  state: RunState,
  {retryFailed, cancelled, closing}: Pick<RelayFacts, 'retryFailed' | 'cancelled'> & {closing: string | null},
): RelayFacts {
  const since = sinceByHand(state.submitted);
  // A round may be several arrays.
  const rounds = new Map(since.map(({round, done}) => [round, done ?? 0]));
  const retries = (task: string) => since.filter(({by, retried}) => by === 'relay' && retried?.includes(task)).length;
  return {
    tasks: askedTasks(state).map(({task, state: now}) => ({
      task,
      state: task === closing ? 'stopped' : now,
      retries: retries(task),
    })),
    rounds: [...rounds.values()],
    done: doneOf(state),
    retryFailed,
    cancelled,
  };
}

/** The number of the next round. */
export function nextRound({submitted}: RunState): number {
  return 1 + submitted.reduce((last, {round}) => Math.max(last, round), 0);
}
