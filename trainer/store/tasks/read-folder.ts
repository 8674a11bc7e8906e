/** A run folder as one run: `events.jsonl`, and where its plan has tasks, their files, whether they are merged into it or not. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from '../../../core/run/events.ts';
import {emptyRun, type RunState, withoutCurves} from '../../../core/run/fold.ts';
import {joined, taskPlan} from '../../../core/run/tasks/join.ts';
import {type Attempt, attemptName, tasksFolder} from '../../../core/run/tasks/names.ts';
import {sizeOfRegular} from '../../files/door.ts';
import {type Reading, readEvents, remarksOn} from '../events.ts';
import {Folding} from '../fold/folding.ts';
import {eventsName} from '../names.ts';
import {attemptFile, type TaskFiles, taskFilesIn} from './task-files.ts';
import {readTaskSnapshot} from './task-snapshot.ts';

export interface FolderReading {
  state: RunState;
  /** Of `events.jsonl`; null where there is none. */
  reading: Reading | null;
  /** Of all files, in sentences. */
  remarks: string[];
  /** Lines of all files that hold no event. */
  garbage: number;
}

/**
 * @param onEvent sees every event that counts, the plan first, then one task after another
 * @param isBrief of a run of tasks without curves, which is fast however long it is
 */
export async function readFolder(
  folder: string,
  onEvent?: (event: RunEvent) => void,
  isBrief = false,
): Promise<FolderReading> {
  const file = join(folder, eventsName);
  if (!existsSync(file)) return {state: emptyRun, reading: null, remarks: [], garbage: 0};
  const files = taskFilesIn(folder);
  const merged = new MergedFile(files, onEvent ?? (() => {}));
  const reading = await readEvents(file, event => merged.add(event));
  const found = {reading, remarks: remarksOn(reading, eventsName), garbage: reading.garbage.length};
  if (merged.plan().tasks.length === 0) return {state: merged.plan(), ...found};
  const note = (name: string, other: Reading) => {
    found.remarks.push(...remarksOn(other, join(tasksFolder, name)));
    found.garbage += other.garbage.length;
  };
  for (const name of files.submissions)
    note(name, await readEvents(join(folder, tasksFolder, name), event => merged.submission(event)));
  const plan = merged.plan();
  const states: RunState[] = [];
  for (const {task} of plan.tasks) {
    const attempts = files.attempts.get(task);
    if (attempts)
      states.push(await readTask(folder, {attempts, start: taskPlan(plan, task)}, {onEvent, note, isBrief}));
    else states.push(...merged.task(task));
  }
  const state = joined(plan, states);
  return {state: isBrief ? withoutCurves(state) : state, ...found};
}

interface TaskReading {
  attempts: readonly Attempt[];
  /** What the plan says of the task. */
  start: RunState;
}

interface Listening {
  onEvent: ((event: RunEvent) => void) | undefined;
  /** Curves are not wanted. */
  isBrief: boolean;
  /** What was found beside the events of a file. */
  note(name: string, reading: Reading): void;
}

/** One task from the files of its attempts. */
export async function readTask(
  folder: string,
  {attempts, start}: TaskReading,
  {onEvent, note, isBrief}: Listening,
): Promise<RunState> {
  const snapshot = onEvent || !isBrief ? null : readTaskSnapshot(folder, attempts, start);
  const folding = new Folding(snapshot?.state ?? start);
  const heard = (event: RunEvent) => {
    folding.add(event);
    onEvent?.(event);
  };
  const from = snapshot?.bytes ?? 0;
  for (const attempt of snapshot ? attempts.slice(-1) : attempts) {
    const file = attemptFile(folder, attempt);
    // Of most tasks of a long run the snapshot tells all.
    if (snapshot && sizeOfRegular(file) === from) continue;
    note(attemptName(attempt), await readEvents(file, heard, from));
  }
  return folding.state();
}

/** What an earlier merge took of a task that has no files of its own; `start` where it tells nothing. */
export async function mergedTask(folder: string, start: RunState): Promise<RunState> {
  const folding = new Folding(start);
  let isOwn = false;
  await readEvents(join(folder, eventsName), event => {
    if (event.event === 'task-started') isOwn = event.task === start.tasks[0]!.task;
    if (event.event === 'merged') isOwn = false;
    if (isOwn) folding.add(event);
  });
  return folding.state();
}

/** The events of one file, of which those of tasks with files of their own are left to these. */
class MergedFile {
  readonly #files: TaskFiles;
  readonly #onEvent: (event: RunEvent) => void;
  #plan = new Folding(emptyRun);
  readonly #tasks = new Map<string, Folding>();
  #task: string | null = null;

  constructor(files: TaskFiles, onEvent: (event: RunEvent) => void) {
    this.#files = files;
    this.#onEvent = onEvent;
  }

  add(event: RunEvent): void {
    if (event.event === 'task-started') this.#task = event.task;
    if (event.event === 'merged') this.#task = null;
    else if (this.#task === null) this.#planned(event);
    else if (!this.#files.attempts.has(this.#task)) this.#inTask(this.#task, event);
  }

  /** A line of a file that submitting wrote. */
  submission(event: RunEvent): void {
    this.#plan.add(event);
    this.#onEvent(event);
  }

  plan(): RunState {
    return this.#plan.state();
  }

  /** Of a task that has no files of its own, where the file tells of it. */
  task(task: string): RunState[] {
    const folding = this.#tasks.get(task);
    return folding ? [folding.state()] : [];
  }

  #planned(event: RunEvent): void {
    if (event.event === 'submitted' && this.#files.submissions.length > 0) return;
    this.#plan.add(event);
    this.#onEvent(event);
  }

  #inTask(task: string, event: RunEvent): void {
    let folding = this.#tasks.get(task);
    if (!folding) {
      folding = new Folding(taskPlan(this.plan(), task));
      this.#tasks.set(task, folding);
    }
    folding.add(event);
    this.#onEvent(event);
  }
}
