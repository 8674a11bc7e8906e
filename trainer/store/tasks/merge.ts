/** One `events.jsonl` of all tasks of a run: the plan, then each task's attempts, one after another. */
import {closeSync, fsyncSync, openSync, renameSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import {attemptName, tasksFolder} from '../../../core/run/tasks/names.ts';
import {temporaryOf} from '../../files/temporary.ts';
import {discard, storeError, syncFolder} from '../../files/write-whole.ts';
import {type Reading, readEvents, remarksOn} from '../events.ts';
import {eventsName} from '../names.ts';
import {attemptFile, type TaskFiles, taskFilesIn} from './task-files.ts';

export interface MergeResult {
  /** Tasks that have begun; null for a run of one machine, which has nothing to merge. */
  tasks: number | null;
  /** Files that were taken up. */
  files: number;
  /** Lines that hold no event, by the file in the run folder that has them; they are left out. */
  unreadable: Record<string, number>;
  /** What was left out, in sentences. */
  remarks: string[];
}

const blockBytes = 1 << 20;

/**
 * Writes it anew, whole or not at all, so that it may be killed and repeated, also while tasks go on. The tasks' files stay, and
 * count where they know more.
 * @throws SweepError `disk-full`, `cannot-write`
 */
export async function mergeTasks(folder: string): Promise<MergeResult> {
  const target = join(folder, eventsName);
  const files = taskFilesIn(folder);
  const before = await sectionsOf(target);
  if (before.tasks === null) return {tasks: null, files: 0, unreadable: {}, remarks: []};
  const temporary = temporaryOf(target);
  try {
    const output = new Output(temporary);
    try {
      const merged = await writeAll(folder, {files, before, tasks: before.tasks}, output);
      output.close();
      renameSync(temporary, target);
      syncFolder(folder);
      return merged;
    } finally {
      output.close();
    }
  } catch (error) {
    discard(temporary);
    throw storeError(error, target);
  }
}

interface Sections {
  /** The plan's tasks by name; null where it has none. */
  tasks: string[] | null;
  plan: RunEvent[];
  /** Of the file itself. */
  reading: Reading;
}

/** What the file says outside of tasks. */
async function sectionsOf(file: string): Promise<Sections> {
  const sections: Pick<Sections, 'tasks' | 'plan'> = {tasks: null, plan: []};
  const reading = await forSections(file, (task, event) => {
    if (task !== null) return;
    sections.plan.push(event);
    if (event.event === 'run-started') sections.tasks = event.tasks?.map(one => one.task) ?? null;
  });
  return {...sections, reading};
}

/** Every event with the task that it is told in; null for the plan's. */
async function forSections(file: string, onEvent: (task: string | null, event: RunEvent) => void): Promise<Reading> {
  let task: string | null = null;
  return readEvents(file, event => {
    if (event.event === 'task-started') task = event.task;
    if (event.event === 'merged') task = null;
    else onEvent(task, event);
  });
}

interface Merging {
  files: TaskFiles;
  before: Sections;
  tasks: readonly string[];
}

async function writeAll(folder: string, {files, before, tasks}: Merging, output: Output): Promise<MergeResult> {
  const taken: Record<string, number> = {};
  let begun = 0;
  const unreadable: MergeResult['unreadable'] = {};
  const remarks: string[] = [];
  const note = (name: string, reading: Reading) => {
    if (reading.garbage.length > 0) unreadable[name] = reading.garbage.length;
    // A line that a killed process left half is what attempts are for.
    remarks.push(...remarksOn({...reading, torn: false}, name));
  };
  note(eventsName, before.reading);
  const take = async (name: string, file: string) => {
    const reading = await readEvents(file, event => output.write(event));
    taken[name] = reading.wholeBytes;
    note(`${tasksFolder}/${name}`, reading);
  };
  const isReplaced = ({event}: RunEvent) => event === 'submitted' && files.submissions.length > 0;
  for (const event of before.plan) if (!isReplaced(event)) output.write(event);
  for (const name of files.submissions) await take(name, join(folder, tasksFolder, name));
  for (const task of tasks) {
    const attempts = files.attempts.get(task) ?? [];
    for (const attempt of attempts) await take(attemptName(attempt), attemptFile(folder, attempt));
    if (attempts.length > 0) begun++;
  }
  const kept = new Set(tasks.filter(task => !files.attempts.has(task)));
  const told = new Set<string>();
  // Of tasks whose files are gone, what an earlier merge took of them stands.
  await forSections(join(folder, eventsName), (task, event) => {
    if (task === null || !kept.has(task)) return;
    told.add(task);
    output.write(event);
  });
  output.write({event: 'merged', at: Date.now(), files: taken});
  return {tasks: begun + told.size, files: Object.keys(taken).length, unreadable, remarks};
}

/** Lines in blocks. */
class Output {
  readonly #handle: number;
  #block = '';
  #isOpen = true;

  constructor(file: string) {
    this.#handle = openSync(file, 'wx');
  }

  write(event: RunEvent): void {
    this.#block += formatLine(event);
    if (this.#block.length >= blockBytes) this.#flush();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#flush();
      fsyncSync(this.#handle);
    } finally {
      closeSync(this.#handle);
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#block);
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#handle, bytes, written);
    this.#block = '';
  }
}
