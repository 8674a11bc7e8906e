/** What is known of each task of a run, and what they come to together. */
import type {TaskEnded, TaskStarted} from '../events.ts';
import type {Task} from './tasks.ts';

export type TaskState = 'waiting' | 'running' | 'finished' | 'failed' | 'stopped';

export interface TaskView extends Task {
  /** `stopped`: its last attempt ended early, something is left. */
  state: TaskState;
  /** The last one; 0 before the first. */
  attempt: number;
  /** Of the last attempt. */
  host: string | null;
  process: string | null;
  job: string | null;
  workers: number;
  /** Milliseconds since 1970 of the last attempt's start, and of the last event. */
  startedAt: number | null;
  lastAt: number | null;
  /** Running time of all attempts together. */
  seconds: number;
  /** Why it failed. */
  message: string | null;
}

export function waitingTask({task, cell, cells, trials}: Task): TaskView {
  return {
    ...{task, cell, ...(cells && {cells}), trials},
    ...{state: 'waiting', attempt: 0, host: null, process: null, job: null, workers: 0},
    ...{startedAt: null, lastAt: null, seconds: 0, message: null},
  };
}

export function begunTask(view: TaskView, event: TaskStarted & {at: number}): TaskView {
  const {attempt, host, workers, at} = event;
  return {
    ...view,
    ...{state: 'running', attempt, host, process: event.process ?? null, job: event.job ?? null, workers},
    ...{startedAt: at, lastAt: at, message: null},
  };
}

export function endedTask(view: TaskView, {state, message}: TaskEnded): TaskView {
  return {...view, state: state === 'superseded' ? 'stopped' : state, message: message ?? null};
}

/** After another event of its file; files are read one by one, so that the clocks of two machines are never compared. */
export function continuedTask(view: TaskView, at: number): TaskView {
  const passed = view.state === 'running' && view.lastAt !== null ? Math.max(0, at - view.lastAt) / 1000 : 0;
  return {...view, lastAt: Math.max(at, view.lastAt ?? at), seconds: view.seconds + passed};
}

/** With what a task whose process is gone without a word has come to. */
export function withoutDead(tasks: readonly TaskView[], isLive: (task: string) => boolean): TaskView[] {
  return tasks.map(view => (view.state === 'running' && !isLive(view.task) ? {...view, state: 'stopped'} : view));
}

/** What tasks come to for their run. */
export interface Together {
  state: TaskState;
  startedAt: number | null;
  seconds: number;
  workers: number;
  message: string | null;
}

/** Tasks without a trial that is selected (`--only` left none of theirs) wait for nothing. */
export function together(all: readonly TaskView[], selected: readonly string[]): Together {
  const chosen = new Set(selected);
  const tasks = all.filter(({trials}) => trials.some(id => chosen.has(id)));
  const starts = tasks.flatMap(({startedAt}) => startedAt ?? []);
  return {
    state: stateOf(tasks),
    startedAt: starts.length > 0 ? starts.reduce((first, at) => Math.min(first, at)) : null,
    seconds: tasks.reduce((sum, {seconds}) => sum + seconds, 0),
    workers: tasks.reduce((sum, {state, workers}) => (state === 'running' ? sum + workers : sum), 0),
    message: tasks.find(({message}) => message !== null)?.message ?? null,
  };
}

function stateOf(tasks: readonly TaskView[]): TaskState {
  const has = (state: TaskState) => tasks.some(view => view.state === state);
  if (has('running')) return 'running';
  if (tasks.every(({state}) => state === 'finished')) return 'finished';
  if (tasks.every(({attempt}) => attempt === 0)) return 'waiting';
  return has('failed') && !has('stopped') && !has('waiting') ? 'failed' : 'stopped';
}
