/** The files of tasks in a run folder: one a start of a task, written by one process from its creation to its end. */
import {closeSync, openSync, readdirSync, statSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {grouped} from '../../../core/grouped.ts';
import {
  type Attempt,
  attemptName,
  attemptsIn,
  isSubmissionName,
  readAttemptName,
  tasksFolder,
} from '../../../core/run/tasks/names.ts';
import type {TaskView} from '../../../core/run/tasks/task-views.ts';
import {timeAt} from '../../files/file-time.ts';
import {insideRun, storeError, syncFolder, systemCode} from '../../files/write-whole.ts';
import {isMarkAlive} from '../../process/processes.ts';

export interface TaskFiles {
  /** By task, in order. */
  attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** Names of what submitting wrote. */
  submissions: readonly string[];
}

export function taskFilesIn(folder: string): TaskFiles {
  const names = namesIn(join(folder, tasksFolder));
  return {
    attempts: grouped(attemptsIn(names), ({task}) => task),
    submissions: names.filter(isSubmissionName).sort(),
  };
}

export function attemptFile(folder: string, attempt: Attempt): string {
  return join(folder, tasksFolder, attemptName(attempt));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw storeError(error, folder);
  }
}

/**
 * Claims a task by creating the file of its next attempt, which succeeds for one process only, on network drives too. `exactly`: that
 * attempt or none, null where another process was first.
 * @throws SweepError `cannot-write`, `disk-full`, `folder-gone`
 */
export function claim(folder: string, task: string): Attempt;
export function claim(folder: string, task: string, exactly: number): Attempt | null;
export function claim(folder: string, task: string, exactly?: number): Attempt | null {
  const home = insideRun(folder, tasksFolder);
  for (let attempt = exactly ?? lastAttempt(folder, task) + 1; ; attempt++) {
    const mine = {task, attempt};
    if (readAttemptName(attemptName(mine)) === null) throw noNumberLeft(folder, mine);
    try {
      closeSync(openSync(attemptFile(folder, mine), 'wx'));
      syncFolder(home);
      return mine;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw storeError(error, attemptFile(folder, mine));
      if (exactly !== undefined) return null;
    }
  }
}

/** What nobody would read is not written. */
function noNumberLeft(folder: string, {task, attempt}: Attempt): SweepError {
  const before = attemptFile(folder, {task, attempt: attempt - 1});
  return new SweepError(
    'cannot-write',
    `${before} leaves no number for the next attempt of ${task}; take that file out.`,
    {
      folder,
      task,
    },
  );
}

/** The number of the last attempt; 0 where there is none. */
export function lastAttempt(folder: string, task: string): number {
  return taskFilesIn(folder).attempts.get(task)?.at(-1)?.attempt ?? 0;
}

/** Whether a later attempt owns the task now. Numbers have no gaps. */
export function isSuperseded(folder: string, {task, attempt}: Attempt): boolean {
  return statSync(attemptFile(folder, {task, attempt: attempt + 1}), {throwIfNoEntry: false}) !== undefined;
}

export function superseded({task, attempt}: Attempt): SweepError {
  return new SweepError(
    'superseded',
    `A later attempt has taken over ${task}, so attempt ${attempt} on ${hostname()} ends here; what it stored counts.`,
    {task, attempt},
  );
}

/** Without a new line for so long an attempt counts as gone, where nothing else tells. */
export const silentMilliseconds = 60_000;

/** Whether somebody still works on a task that says it is running. */
export function isTaskLive(folder: string, {task, attempt, process}: TaskView): boolean {
  const alive = process === null ? null : isMarkAlive(process);
  if (alive !== null) return alive;
  const file = attemptFile(folder, {task, attempt});
  const written = statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0;
  return timeAt(file) - written < silentMilliseconds;
}
