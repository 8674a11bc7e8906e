/** What a relay does when all jobs of a round have ended: decided from the folder alone, whatever the scheduler did to them. */
import type {TaskState} from '../../core/run/tasks/task-views.ts';

/** What is known of a task from its files. */
export interface TaskFacts {
  task: string;
  state: TaskState;
  /** How often it was filed again because it had failed. */
  retries: number;
}

export interface RelayFacts {
  tasks: readonly TaskFacts[];
  /** What the run had come to at each hand-over to the scheduler since somebody last submitted it by hand, in their order. */
  rounds: readonly number[];
  /** What it has come to now: steps, evaluations, eigenvalues and ends of trials. */
  done: number;
  /** How often a task that failed by itself is tried again. */
  retryFailed: number;
  /** What somebody wanted stopped: the run, or some of its tasks. */
  cancelled: 'all' | ReadonlySet<string> | null;
}

export type Decision =
  /** Nothing is left: merge. */
  | {kind: 'end'}
  /** Somebody does not want it to go on. */
  | {kind: 'cancelled'}
  /** File these tasks again. */
  | {kind: 'again'; tasks: string[]}
  /** Two rounds came to nothing. */
  | {kind: 'give-up'; tasks: string[]};

/** Rounds without progress after which nothing is filed again. */
const mostIdleRounds = 2;

export function decide(facts: RelayFacts): Decision {
  const {cancelled} = facts;
  const left = unfinished(facts.tasks, facts.retryFailed);
  if (left.length === 0) return {kind: 'end'};
  const tasks = cancelled === 'all' ? [] : left.filter(task => !cancelled?.has(task));
  if (tasks.length === 0) return {kind: 'cancelled'};
  return idleRounds(facts) >= mostIdleRounds ? {kind: 'give-up', tasks} : {kind: 'again', tasks};
}

/** The tasks that something is left of. A failed one is left only while it may be tried again. */
export function unfinished(tasks: readonly TaskFacts[], retryFailed: number): string[] {
  const isLeft = ({state, retries}: TaskFacts) => (state === 'failed' ? retries < retryFailed : state !== 'finished');
  return tasks.filter(isLeft).map(({task}) => task);
}

/** How many rounds in a row, up to now, brought nothing. Steps that are trained twice count once. */
function idleRounds({rounds, done}: RelayFacts): number {
  let idle = 0;
  for (const before of rounds.toReversed()) {
    if (done > before) break;
    idle++;
  }
  return idle;
}
