/** A run folder as it grows: its events folded, whoever writes them. */
import type {FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
import type {RunEvent} from '../../core/run/events.ts';
import {emptyRun, foldAll, interrupted, type RunState} from '../../core/run/fold.ts';
import {type Snapshot, snapshotName, tailBytes} from '../../core/run/snapshot.ts';
import {taskPlan} from '../../core/run/tasks/join.ts';
import {FollowedFile} from './follow-file.ts';
import {TaskFollower} from './follow-tasks.ts';
import {readSnapshotInPieces} from './snapshot-pieces.ts';

/** Reads `events.jsonl`, and the files of tasks where it is their plan, as far as they are written; goes on from there the next time. */
export class Follower {
  readonly folder: string;
  readonly #file: FollowedFile;
  readonly #snapshot: string;
  /** The run of one machine, or the plan of tasks. */
  #state: RunState = emptyRun;
  #tasks: TaskFollower | undefined;
  /** What the file itself tells of tasks, where it is merged; the one that its lines are about. */
  readonly #merged = new Map<string, RunState>();
  #task: string | null = null;
  #busy: Promise<void> = Promise.resolve();
  #isNew = false;
  /** The part of a snapshot that is read, while it is being read. */
  #jumping: number | null = null;

  constructor(folder: string) {
    this.folder = folder;
    this.#snapshot = join(folder, snapshotName);
    this.#file = new FollowedFile(join(folder, 'events.jsonl'), {
      events: events => this.#take(events),
      jump: (file, size) => this.#jump(file, size),
      startAgain: () => this.#startAgain(),
    });
  }

  /** What the events read so far come to; `alive`: a process is still writing. */
  state(alive: boolean): RunState {
    const tasks = this.#tasks;
    if (tasks) return interrupted(tasks.state([...this.#merged.values()]), task => tasks.isLive(task));
    return alive ? this.#state : interrupted(this.#state);
  }

  /** The part of its events that is read, from 0 to 1; null while none are being read. */
  get part(): number | null {
    return this.#jumping ?? this.#file.part;
  }

  /** Whether several processes share the run. */
  get hasTasks(): boolean {
    return this.#tasks !== undefined;
  }

  /** Of a run of tasks: some are still worked on. */
  get live(): boolean {
    return this.#tasks?.live ?? false;
  }

  /** Reads what is new; true where there was something. */
  async read(): Promise<boolean> {
    const reading = this.#busy.then(() => this.#readOn());
    // What goes wrong this time is tried anew the next.
    this.#busy = reading.catch(() => {});
    await reading.catch((error: NodeJS.ErrnoException) => {
      // A folder may be deleted between two looks at it.
      if (error.code !== 'ENOENT') throw error;
    });
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }

  async #readOn(): Promise<void> {
    if (await this.#file.read()) this.#isNew = true;
    if (await this.#tasks?.read()) this.#isNew = true;
  }

  /** Begins behind what a snapshot stands for, where there is one and it is of this very file. */
  async #jump(file: FileHandle, size: number): Promise<number> {
    const isOfFile = async ({bytes, tail}: Pick<Snapshot, 'bytes' | 'tail'>): Promise<boolean> => {
      if (bytes > size) return false;
      const before = Math.min(tailBytes, bytes);
      const {buffer} = await file.read(Buffer.alloc(before), 0, before, bytes - before);
      return buffer.toString('latin1') === tail;
    };
    const snapshot = await readSnapshotInPieces(this.#snapshot, isOfFile, part => {
      this.#jumping = part;
    }).finally(() => {
      this.#jumping = null;
    });
    if (snapshot === null) return 0;
    this.#state = snapshot.state;
    return snapshot.bytes;
  }

  #startAgain(): void {
    this.#state = emptyRun;
    this.#tasks = undefined;
    this.#merged.clear();
    this.#task = null;
  }

  #take(events: readonly RunEvent[]): void {
    if (this.#state.tasks.length === 0 && !events.some(one => one.event === 'run-started' && one.tasks)) {
      this.#state = foldAll(this.#state, events);
      return;
    }
    let told: RunEvent[] = [];
    for (const event of events) {
      const isOther = event.event === 'task-started' || event.event === 'merged' || event.event === 'run-started';
      if (isOther) {
        this.#fold(told);
        told = [];
        if (event.event !== 'task-started') this.#task = null;
        else this.#task = event.task;
      }
      if (event.event !== 'merged') told.push(event);
    }
    this.#fold(told);
  }

  /** Events of one task, or of the plan. */
  #fold(events: readonly RunEvent[]): void {
    const task = this.#task;
    if (events.length === 0 || (task !== null && this.#tasks?.has(task))) return;
    if (task !== null) {
      this.#merged.set(task, foldAll(this.#merged.get(task) ?? taskPlan(this.#state, task), events));
      return;
    }
    this.#state = foldAll(this.#state, events);
    this.#tasks ??= new TaskFollower(this.folder, this.#state);
  }
}
