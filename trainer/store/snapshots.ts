/** Writes what a run's events have come to beside them, from time to time and at its end: see core/run/snapshot. */
import {closeSync, openSync, readSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from '../../core/run/events.ts';
import {foldAll, type RunState} from '../../core/run/fold.ts';
import {formatSnapshot, snapshotFrom, snapshotName, tailBytes} from '../../core/run/snapshot.ts';
import {writeWhole} from '../files/write-whole.ts';

/** Milliseconds between two snapshots of a run at work. */
const interval = 5000;
/** Events are folded this many at a time. */
const batch = 256;

export class Snapshots {
  readonly #file: string;
  readonly #events: string;
  #state: RunState;
  #waiting: RunEvent[] = [];
  #writtenAt = 0;

  /** @param earlier what the events in the file come to so far */
  constructor(folder: string, eventsFile: string, earlier: RunState) {
    this.#file = join(folder, snapshotName);
    this.#events = eventsFile;
    this.#state = earlier;
  }

  add(event: RunEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length >= batch) this.#fold();
  }

  /** What all events so far come to. */
  state(): RunState {
    this.#fold();
    return this.#state;
  }

  /** `bytes`: the file's length, all events added are in it. Small files are read fast enough without. */
  write(bytes: number, isEnd: boolean): void {
    if (bytes < snapshotFrom || (!isEnd && Date.now() - this.#writtenAt < interval)) return;
    this.#fold();
    this.#writtenAt = Date.now();
    try {
      writeWhole(this.#file, formatSnapshot({state: this.#state, bytes, tail: this.#tail(bytes)}));
    } catch {
      // Readers do without it; whatever is wrong with the disk, the events' own writer says.
    }
  }

  #fold(): void {
    this.#state = foldAll(this.#state, this.#waiting);
    this.#waiting = [];
  }

  #tail(bytes: number): string {
    const tail = Buffer.alloc(Math.min(tailBytes, bytes));
    const handle = openSync(this.#events, 'r');
    try {
      readSync(handle, tail, 0, tail.length, bytes - tail.length);
    } finally {
      closeSync(handle);
    }
    return tail.toString('latin1');
  }
}
