/** A run folder as it grows, whether one process writes it or the tasks of many. */
import {join} from 'node:path';
import type {RunEvent} from '../../../core/run/events.ts';
import {attemptName, tasksFolder} from '../../../core/run/tasks/names.ts';
import {sizeOfRegular} from '../../files/door.ts';
import {readEvents} from '../events.ts';
import {eventsName} from '../names.ts';
import {taskFilesIn} from './task-files.ts';

export class FolderFollower {
  readonly #folder: string;
  readonly #onEvent: (event: RunEvent) => void;
  /** Bytes read, by name. */
  readonly #read = new Map<string, number>();
  /** The last attempt of each task that has told something. */
  readonly #last = new Map<string, number>();
  #hasTasks = false;
  /** The task that the lines of `events.jsonl` are about; null for the plan's. */
  #task: string | null = null;

  /** @param onEvent hears each event once, in the order of its file */
  constructor(folder: string, onEvent: (event: RunEvent) => void) {
    this.#folder = folder;
    this.#onEvent = onEvent;
  }

  /** Reads what is new. */
  async read(): Promise<void> {
    // A merge replaces the plan's file by a longer one of what is known already.
    if (!this.#hasTasks) await this.#readOn(eventsName, event => this.#planned(event));
    if (!this.#hasTasks) return;
    const {attempts, submissions} = taskFilesIn(this.#folder);
    for (const name of submissions) await this.#readOn(join(tasksFolder, name), this.#onEvent);
    // Of an attempt that has lost its task no further word counts.
    for (const [task, own] of attempts)
      for (const attempt of own) {
        if (attempt.attempt < (this.#last.get(task) ?? 0)) continue;
        if (await this.#readOn(join(tasksFolder, attemptName(attempt)), this.#onEvent))
          this.#last.set(task, attempt.attempt);
      }
  }

  #planned(event: RunEvent): void {
    if (event.event === 'run-started') this.#hasTasks = event.tasks !== undefined;
    if (event.event === 'task-started') this.#task = event.task;
    const isOfFiles = this.#task !== null && taskFilesIn(this.#folder).attempts.has(this.#task);
    if (event.event === 'merged') this.#task = null;
    else if (!isOfFiles) this.#onEvent(event);
  }

  async #readOn(name: string, onEvent: (event: RunEvent) => void): Promise<boolean> {
    const file = join(this.#folder, name);
    const from = this.#read.get(name) ?? 0;
    if ((sizeOfRegular(file) ?? 0) <= from) return false;
    const {wholeBytes} = await readEvents(file, onEvent, from);
    this.#read.set(name, from + wholeBytes);
    return wholeBytes > 0;
  }
}
