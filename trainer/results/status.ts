/** `status`, `attach`, `cancel`: a run seen from another process, on any machine that sees its folder. */
import {setTimeout as sleep} from 'node:timers/promises';
import {SweepError} from '../../core/error.ts';
import type {RunEvent} from '../../core/run/events.ts';
import {emptyRun, fold, interrupted, type RunState} from '../../core/run/fold.ts';
import {count, formatSeconds} from '../../core/run/format.ts';
import {progress} from '../../core/run/progress.ts';
import {attemptName} from '../../core/run/tasks/names.ts';
import type {Status, TaskStatus} from '../../core/run/tasks/status.ts';
import type {TaskView} from '../../core/run/tasks/task-views.ts';
import {textTable} from '../../core/table.ts';
import {isLive, readRun, refuseNoRun} from '../store/run.ts';
import {askToStop} from '../store/stop-file.ts';
import {FolderFollower} from '../store/tasks/follow-folder.ts';
import {isTaskLive} from '../store/tasks/task-files.ts';

/** @throws SweepError `no-run` */
export async function statusOf(folder: string): Promise<Status> {
  const {state, live} = await readRun(folder, undefined, true);
  const trials: Status['trials'] = {};
  for (const view of state.trials) if (!view.dropped) trials[view.state] = (trials[view.state] ?? 0) + 1;
  // The events of several machines are of several clocks.
  const left = live ? progress(state, state.tasks.length > 0 ? undefined : Date.now()).secondsLeft : null;
  const tasks = state.tasks.map(view => taskStatus(view, state));
  return {state: state.state, name: state.name, trials, tasks, scheduler: null, jobs: [], eta_s: left};
}

function taskStatus(view: TaskView, {trials, places}: RunState): TaskStatus {
  const {task, state, attempt, host, job, message} = view;
  const own = view.trials.flatMap(id => trials[places[id] ?? -1] ?? []);
  const steps = own.reduce((sum, one) => sum + one.steps, 0);
  const total = own.reduce((sum, one) => sum + one.totalSteps, 0);
  return {task, state, attempt, host, job, reason: message, trials: own.length, steps, total};
}

/** The status as a line: `desc is running: 37 of 120 trials finished, 2 running, 81 waiting; 1 min 20 s left.` */
export function statusInWords({state, name, trials, eta_s}: Status): string {
  const total = Object.values(trials).reduce((sum, number) => sum + number, 0);
  const {finished = 0, ...others} = trials;
  const states = Object.entries(others).map(([other, number]) => `${number} ${other}`);
  const left = eta_s === null ? '' : `; ${formatSeconds(eta_s)} left`;
  return `${name} is ${state}: ${[`${finished} of ${count(total, 'trial')} finished`, ...states].join(', ')}${left}.`;
}

const taskColumns = [
  {title: 'task', align: 'left'},
  {title: 'state', align: 'left'},
  {title: 'attempt', align: 'right'},
  {title: 'host', align: 'left'},
  {title: 'job', align: 'left'},
  {title: 'trials', align: 'right'},
  {title: 'steps', align: 'right'},
  {title: 'of', align: 'right'},
  {title: 'reason', align: 'left'},
] as const;

/** A row a task, below the line; none for a run of one machine. */
export function tasksInWords({tasks}: Status): string[] {
  if (tasks.length === 0) return [];
  const rows = tasks.map(({task, state, attempt, host, job, reason, trials, steps, total}) => [
    ...[
      task,
      state,
      String(attempt),
      host ?? '',
      job ?? '',
      String(trials),
      String(steps),
      String(total),
      reason ?? '',
    ],
  ]);
  return textTable([...taskColumns], rows);
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
  const follower = new FolderFollower(folder, event => {
    state = fold(state, event);
    onEvent(event);
  });
  for (;;) {
    // Asked before reading: what a run stores last is not missed.
    const live = isLive(folder);
    await follower.read();
    if (!live && !goesOn(folder, state)) return stateOf(folder, state);
    if (!(await paused(signal))) return 'left';
  }
}

/** Of a run of tasks: one is at work, or is to be by whom it was submitted to. */
function goesOn(folder: string, {tasks, submitted}: RunState): boolean {
  if (tasks.length === 0) return false;
  const isOver = tasks.every(({state}) => state === 'finished' || state === 'failed');
  return tasks.some(view => isAtWork(folder, view)) || (submitted.length > 0 && !isOver);
}

const isAtWork = (folder: string, view: TaskView): boolean => view.state === 'running' && isTaskLive(folder, view);

function stateOf(folder: string, state: RunState): Status['state'] {
  return interrupted(state, task => state.tasks.some(view => view.task === task && isAtWork(folder, view))).state;
}

/**
 * Asks the run in a folder to stop, and waits until it has: whether that was a run of one machine, or some of its tasks; null where none
 * runs there.
 * @param tasks of a run of several, those that are asked; absent: all
 * @throws SweepError `no-run`, `cannot-write`, `usage` for a task that there is not, `stopped` where the signal came first
 */
export async function cancelRun(
  folder: string,
  signal: AbortSignal,
  tasks?: readonly string[],
): Promise<'run' | 'tasks' | null> {
  refuseNoRun(folder);
  const working = await tasksAtWork(folder, tasks);
  if (working.length === 0 && !isLive(folder)) return null;
  const asked = new Set(working.map(attemptName));
  askToStop(folder, tasks ? [...asked] : []);
  const goesOn = async () =>
    isLive(folder) || (await tasksAtWork(folder, tasks)).some(one => asked.has(attemptName(one)));
  while (await goesOn())
    if (!(await paused(signal)))
      throw new SweepError('stopped', 'The run was asked to stop and will; it has not ended yet.');
  return working.length > 0 ? 'tasks' : 'run';
}

/** Tasks whose last attempt goes on. @throws SweepError `usage` for a name that the plan does not have */
async function tasksAtWork(folder: string, names?: readonly string[]): Promise<TaskView[]> {
  const {state} = await readRun(folder, undefined, true);
  const unknown = names?.find(name => !state.tasks.some(({task}) => task === name));
  if (unknown !== undefined) {
    const [first, last] = [state.tasks[0]?.task, state.tasks.at(-1)?.task];
    const there = first === undefined ? 'this run has none' : `they are ${first} to ${last}`;
    throw new SweepError('usage', `There is no task ${unknown} in ${folder}: ${there}.`);
  }
  return state.tasks.filter(view => view.state === 'running' && (names?.includes(view.task) ?? true));
}

/** A moment; false where the signal comes first. */
async function paused(signal: AbortSignal): Promise<boolean> {
  return sleep(lookMilliseconds, true, {signal}).catch(() => false);
}
