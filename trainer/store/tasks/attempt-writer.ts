/** The file of one attempt, as its owner writes it. */
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import type {Attempt} from '../../../core/run/tasks/names.ts';
import {sizeOfRegular} from '../../files/door.ts';
import {type EventWriter, openEvents, readEvents} from '../events.ts';
import {Snapshots} from '../fold/snapshots.ts';
import {isMilestone} from '../run.ts';
import {attemptFile} from './task-files.ts';
import {taskSnapshotFile, taskSnapshotFrom} from './task-snapshot.ts';

interface Opened {
  folder: string;
  attempt: Attempt;
  /** Attempts of the task before this one. */
  before: readonly Attempt[];
  /** What they came to. */
  earlier: RunState;
  stored(event: RunEvent): void;
  failed(error: unknown): void;
}

export class AttemptWriter {
  readonly attempt: Attempt;
  readonly #opened: Opened;
  readonly #events: EventWriter;
  readonly #snapshots: Snapshots;
  #sizeAtBeat = 0;
  #isClosed = false;

  constructor(opened: Opened) {
    const {folder, attempt, before, earlier, failed} = opened;
    this.attempt = attempt;
    this.#opened = opened;
    const file = attemptFile(folder, attempt);
    this.#events = openEvents(file, null, failed);
    const sizes = before.map(one => sizeOfRegular(attemptFile(folder, one)) ?? 0);
    const place = {file: taskSnapshotFile(folder, attempt), events: file, from: taskSnapshotFrom, before: sizes};
    this.#snapshots = new Snapshots(place, earlier);
  }

  get task(): string {
    return this.attempt.task;
  }

  /** What all attempts come to so far. */
  state(): RunState {
    return this.#snapshots.state();
  }

  /** Stamps the event with the time and stores it. */
  append(body: RunEventBody): void {
    const event: RunEvent = {...body, at: Date.now()};
    this.#events.append(event);
    this.#snapshots.add(event);
    if (isMilestone(event)) {
      this.flush(true);
      this.#snapshots.write(this.#events.size(), event.event === 'task-ended');
    }
    this.#opened.stored(event);
  }

  flush(toDisk?: boolean): void {
    this.#events.flush(toDisk);
  }

  /** A line where nothing was said since the last time: whoever watches the file sees that this process lives. */
  beat(): void {
    if (this.#events.size() === this.#sizeAtBeat)
      this.append({event: 'resources', memoryBytes: process.memoryUsage.rss()});
    this.flush();
    this.#sizeAtBeat = this.#events.size();
  }

  /** Hands over what the attempts before this one stored. */
  async replay(onEvent: (event: RunEvent) => void): Promise<void> {
    const {folder, before} = this.#opened;
    for (const attempt of before) await readEvents(attemptFile(folder, attempt), onEvent);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.close();
  }
}
