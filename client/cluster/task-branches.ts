/** The tasks of a run as a branch of the tree: each with its state, node, job, and why it waits. */
import type {RunState} from '../../core/run/fold.ts';
import {elementOf} from '../../core/run/tasks/elements.ts';
import type {JobStatus, Status, TaskStatus} from '../../core/run/tasks/status.ts';
import type {TaskView} from '../../core/run/tasks/task-views.ts';
import {type Branch, together} from '../tree-model.ts';

/** None where one process has the run. `queue`: what the scheduler said last, where it was asked. */
export function taskBranches(state: RunState, queue: Status | undefined): Branch[] {
  if (state.tasks.length === 0) return [];
  const asked = new Map(queue?.tasks.map(one => [one.task, one]));
  const isAsked = queue?.scheduler === 'slurm';
  const tasks = state.tasks.map(view => {
    // Before the queue was asked, the last submission tells.
    const job = isAsked ? (asked.get(view.task)?.job ?? null) : elementOf(state.submitted, view.task);
    return taskBranch(view, state, {...asked.get(view.task), job});
  });
  // Tasks begin when the preparation has ended, which the queue may tell a minute later.
  const isPrepared = state.tasks.some(({attempt}) => attempt > 0);
  const isShown = ({kind}: JobStatus) => kind === 'relay' || (kind === 'prepare' && !isPrepared);
  const others = (queue?.jobs ?? []).filter(isShown).map(jobBranch);
  const branch = {...leaf, kind: 'tasks' as const, id: 'tasks', label: 'Tasks'};
  return [{...branch, description: inSum(tasks), state: together(tasks), children: [...tasks, ...others]}];
}

const leaf: Pick<Branch, 'only' | 'children'> = {only: [], children: []};

type Queued = Partial<TaskStatus> & Pick<TaskStatus, 'job'>;

function taskBranch(view: TaskView, state: RunState, queued: Queued): Branch {
  const {task, cell} = view;
  // What its own files say is newer than the last look at the queue.
  const waits = view.state === 'stopped' && queued.state === 'waiting' && queued.job !== null;
  const now = waits ? 'waiting' : view.state;
  const description = describe({...view, state: now}, state, queued);
  return {...leaf, kind: 'task', id: task, label: `${task} ${cell}`, description, state: now};
}

function describe(view: TaskView, run: RunState, queued: Queued): string {
  const {state, attempt, host, message} = view;
  const again = attempt > 1 ? [`attempt ${attempt}`] : [];
  const job = (state === 'running' ? null : queued.job) ?? view.job;
  const named = job === null ? [] : [`job ${job}`];
  const parts = {
    running: [`${percentOf(view, run)} %`, host ?? [], named, again],
    waiting: [queued.reason ?? [], named, attempt > 0 ? `after attempt ${attempt}` : []],
    stopped: [`${percentOf(view, run)} %`, 'something is left', again],
    failed: [message ?? [], named, again],
    finished: [host ?? [], again],
  };
  return parts[state].flat().join(' · ');
}

function percentOf({trials}: TaskView, {trials: all, places}: RunState): number {
  const own = trials.flatMap(id => all[places[id] ?? -1] ?? []);
  const [steps, total] = [own.reduce((n, one) => n + one.steps, 0), own.reduce((n, one) => n + one.totalSteps, 0)];
  return Math.floor((100 * steps) / Math.max(1, total));
}

/** What settles the plan and fills caches before the tasks, and what looks after them. */
function jobBranch({job, kind, state, reason}: JobStatus): Branch {
  const runs = state === 'RUNNING' || state === 'COMPLETING';
  const description = [runs ? 'running' : (reason ?? state.toLowerCase()), `job ${job}`].join(' · ');
  const label = kind === 'relay' ? 'relay' : 'preparation';
  return {...leaf, kind: 'job', id: `${kind} ${job}`, label, description, state: runs ? 'running' : 'waiting'};
}

/** `3 running, 5 waiting` */
function inSum(tasks: readonly Branch[]): string {
  const order = ['running', 'waiting', 'stopped', 'failed', 'finished'] as const;
  const sums = order.flatMap(state => {
    const number = tasks.filter(one => one.state === state).length;
    return number > 0 ? [`${number} ${state}`] : [];
  });
  return sums.join(', ');
}
