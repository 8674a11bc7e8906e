/** Tasks of a run as the store of one start: what happens to a trial goes into the file of its task's attempt. */

import {hostname} from 'node:os';
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import type {RunEvent, RunEventBody, TaskEnded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {joined, partOfPlan, taskPlan} from '../../../core/run/tasks/join.ts';
import {type Attempt, attemptName, tasksFolder} from '../../../core/run/tasks/names.ts';
import {cellsOfTask} from '../../../core/run/tasks/tasks.ts';
import {ownMark} from '../../process/processes.ts';
import {remarksOn} from '../events.ts';
import {StoredSteps} from '../fold/stored-steps.ts';
import {eventsName} from '../names.ts';
import type {Begun, OpenRun} from '../run.ts';
import {AttemptWriter} from './attempt-writer.ts';
import {Beats} from './beats.ts';
import type {Plan} from './plan-file.ts';
import {mergedTask, readTask} from './read-folder.ts';
import {Routes, routed} from './routes.ts';
import {claim, isSuperseded, taskFilesIn} from './task-files.ts';
import {whenFree} from './waiting.ts';

export interface TaskOptions {
  folder: string;
  plan: Plan;
  /** Their names. */
  tasks: readonly string[];
  /** What is worth telling of the comparison with the plan. */
  notes: string[];
  /** The scheduler's name of this job. */
  job: string | undefined;
  /** Whether another job is known to be gone. */
  isOver?(job: string): boolean;
  engine: string;
  workers: number;
  /** Tasks that are finished are opened again, where the first of them still has this many attempts. */
  again?: number;
  /** Milliseconds between signs of life. */
  beat?: number;
  /** Ends the waiting for tasks that others work on. */
  signal: AbortSignal;
  /** Hears of every event as it is stored. */
  stored(event: RunEvent): void;
  /** Hears of what goes wrong while nobody waits for it, and of a later attempt that has taken a task over. */
  failed(error: unknown): void;
  /** Hears that a task is waited for. */
  waits(task: string, last: {attempt: number; host: string | null}): void;
}

/**
 * Claims tasks and opens their files; the caller closes it, whatever happens. Tasks that nothing is left of are not claimed: null
 * where that is so of all. @throws SweepError `stopped`, `cannot-write`, `disk-full`
 */
export async function openTasks(options: TaskOptions): Promise<OpenTasks | null> {
  // From the first on: a later task may be waited for long.
  const beats = new Beats(options.folder, options.failed, options.beat);
  const steps = new StoredSteps();
  const notes = [...options.notes];
  try {
    for (const [place, task] of options.tasks.entries()) {
      const attempt = await claimed(task, options, place === 0);
      if (attempt) beats.add(await openTask(attempt, options, {steps, notes}));
      else if (options.again !== undefined) break;
    }
  } catch (error) {
    beats.close();
    throw error;
  }
  if (beats.writers.length > 0) return new OpenTasks(options, beats, {steps, notes});
  beats.close();
  return null;
}

interface Found {
  steps: StoredSteps;
  notes: string[];
}

/** Null for a task that is done, or that another process was first with. */
async function claimed(task: string, options: TaskOptions, isFirst: boolean): Promise<Attempt | null> {
  const {folder, plan, again} = options;
  // All tasks have ended then: one without a file is told of by the merged file alone.
  if (again !== undefined && !taskFilesIn(folder).attempts.has(task)) throw filesGone(folder, task);
  if (again !== undefined) return isFirst ? claim(folder, task, again + 1) : claim(folder, task);
  const start = taskPlan(plan.state, task);
  for (;;) {
    const last = await whenFree(folder, start, options);
    const state = await stateOf(folder, start);
    if (state.tasks[0]!.state === 'finished') return null;
    if (last === 0 && state.tasks[0]!.attempt > 0) throw filesGone(folder, task);
    // Whoever was first in between is waited for, not taken over.
    const mine = claim(folder, task, last + 1);
    if (mine) return mine;
  }
}

/** A new attempt would stand in the place of what the merged file tells. */
function filesGone(folder: string, task: string): SweepError {
  return new SweepError(
    'files-gone',
    `${join(folder, eventsName)} tells of ${task}, and ${join(folder, tasksFolder)} has no file of it; put the files of its attempts back, or begin a new run with --out.`,
    {folder, task},
  );
}

async function openTask(attempt: Attempt, options: TaskOptions, {steps, notes}: Found): Promise<AttemptWriter> {
  const {folder, plan, job, engine, workers} = options;
  const {task} = attempt;
  const start = taskPlan(plan.state, task);
  const before = (taskFilesIn(folder).attempts.get(task) ?? []).filter(one => one.attempt < attempt.attempt);
  const earlier = await readTask(
    folder,
    {attempts: before, start},
    {
      onEvent: event => steps.add(event),
      isBrief: false,
      note: (name, reading) => notes.push(...remarksOn({...reading, torn: false}, name)),
    },
  );
  const writer = new AttemptWriter({...options, attempt, before, earlier});
  const mark = ownMark();
  const selected = earlier.trials.flatMap(({trial, state}) =>
    earlier.selected.includes(trial.id) && state !== 'finished' && state !== 'diverged' ? [trial.id] : [],
  );
  writer.append({
    ...{event: 'task-started', ...attempt, host: hostname(), ...(mark !== null && {process: mark})},
    ...{...(job !== undefined && {job}), engine, workers, selected},
  });
  return writer;
}

async function stateOf(folder: string, start: RunState): Promise<RunState> {
  const {task} = start.tasks[0]!;
  const attempts = taskFilesIn(folder).attempts.get(task) ?? [];
  return attempts.length === 0
    ? mergedTask(folder, start)
    : readTask(folder, {attempts, start}, {onEvent: undefined, isBrief: true, note: () => {}});
}

export class OpenTasks implements OpenRun {
  readonly folder: string;
  /** Tasks are talked to by the file `stop`. */
  readonly control = undefined;
  readonly earlier: RunState;
  readonly reach: OpenRun['reach'];
  readonly notes: string[];
  readonly #options: TaskOptions;
  readonly #beats: Beats;
  readonly #writers: readonly AttemptWriter[];
  readonly #plan: RunState;
  readonly #routes: Routes;

  constructor(options: TaskOptions, beats: Beats, {steps, notes}: Found) {
    this.folder = options.folder;
    this.notes = notes;
    this.#options = options;
    this.#beats = beats;
    this.#writers = beats.writers;
    this.#plan = partOfPlan(
      options.plan.state,
      this.#writers.map(({task}) => task),
    );
    this.earlier = this.state();
    this.#routes = new Routes(this.#plan.tasks, this.earlier);
    // A checkpoint says how many bytes of one file it builds on; here its steps alone tell.
    this.reach = {steps, bytes: Number.POSITIVE_INFINITY};
  }

  /** Those of its tasks that something is left of. */
  get left(): string[] {
    return this.#writers.filter(writer => writer.state().tasks[0]!.state === 'stopped').map(({task}) => task);
  }

  /** Names of the attempts that this start has. */
  get attempts(): string[] {
    return this.#writers.map(({attempt}) => attemptName(attempt));
  }

  state(): RunState {
    return joined(
      this.#plan,
      this.#writers.map(writer => writer.state()),
    );
  }

  /** The comparison was made before the tasks were claimed. */
  begin(): Begun {
    return {notes: [], made: null, evaluations: []};
  }

  async replay(onEvent: (event: RunEvent) => void): Promise<void> {
    onEvent(this.#options.plan.event);
    for (const writer of this.#writers) await writer.replay(onEvent);
  }

  /** The start and the end of a run are told; what is stored are those of its tasks. */
  append(body: RunEventBody): RunEvent {
    if (body.event === 'run-ended') this.#end(body);
    else if (body.event !== 'run-started')
      for (const [task, part] of routed(body, this.#routes)) {
        const writer = this.#writers.find(one => one.task === task) ?? this.#writers[0]!;
        // A word on a trial's end must not come from who has lost the task.
        if (part.event === 'trial-ended') this.#beats.own(writer);
        writer.append(part);
      }
    return {...body, at: Date.now()};
  }

  flush(toDisk?: boolean): number {
    if (toDisk) for (const writer of this.#writers) this.#beats.own(writer);
    for (const writer of this.#writers) writer.flush(toDisk);
    return 0;
  }

  close(): void {
    this.#beats.close();
  }

  #endOf(writer: AttemptWriter): TaskEnded['state'] {
    const task = writer.state();
    const {cell} = task.tasks[0]!;
    const isShared = this.#options.plan.event.tasks.filter(one => one.cell === cell).length > 1;
    return endOf(task, task.search !== null && isShared);
  }

  #end({state, seconds, message}: Extract<RunEventBody, {event: 'run-ended'}>): void {
    for (const writer of this.#writers) {
      const lost = isSuperseded(this.folder, writer.attempt);
      const how: TaskEnded['state'] = lost ? 'superseded' : state === 'stopped' ? 'stopped' : this.#endOf(writer);
      const why = how === 'failed' ? (message ?? failureOf(writer.state())) : undefined;
      writer.append({event: 'task-ended', ...writer.attempt, state: how, seconds, ...(why && {message: why})});
    }
  }
}

/** How the work on a task ended that nobody stopped. `isShared`: others have trials of its cell, and more may come to be wanted. */
function endOf(task: RunState, isShared: boolean): TaskEnded['state'] {
  const {trials, searched, search, selected, tasks} = task;
  const isDone = (cell: string) => searched.some(one => one.cell === cell && one.stage === 'done');
  if (trials.some(({state}) => state === 'failed')) return 'failed';
  if (search && cellsOfTask(tasks[0]!).every(isDone)) return 'finished';
  const chosen = new Set(selected);
  const own = trials.filter(({trial}) => chosen.has(trial.id));
  if (own.every(({state}) => state === 'finished' || state === 'diverged')) return 'finished';
  return isShared ? 'stopped' : 'failed';
}

function failureOf({trials}: RunState): string | undefined {
  const failed = trials.find(({state}) => state === 'failed');
  return failed ? `${failed.trial.id} failed: ${failed.message ?? 'it did not say why'}` : undefined;
}
