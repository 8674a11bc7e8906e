/** Writes what a run's events have come to beside them, from time to time and at its end: see core/run/snapshot. */
import type {RunEvent} from '../../../core/run/events.ts';
import {type RunState, withoutCurves} from '../../../core/run/fold.ts';
import {formatSnapshot} from '../../../core/run/snapshot.ts';
import {writeWhole} from '../../files/write-whole.ts';
import {Folding} from './folding.ts';
import {tailOf} from './tail.ts';

/** Milliseconds between two snapshots of a run at work, at least. */
const interval = 5000;
/** One that takes longer to write, of thousands of trials, is waited for so many times as long: its process has others to serve. */
const patience = 50;

/** What is snapshot, and where. */
export interface SnapshotPlace {
  /** The snapshot. */
  file: string;
  /** The events that it stands for. */
  events: string;
  /** From so many bytes on: small files are read fast enough without. */
  from: number;
  /** Of a task's attempt, whose snapshot leaves curves out: bytes of the files of the attempts before it. */
  before?: number[];
}

export class Snapshots {
  readonly #place: SnapshotPlace;
  readonly #folding: Folding;
  /** Milliseconds since 1970. */
  #nextAt = 0;

  /** @param earlier what the events in the file come to so far */
  constructor(place: SnapshotPlace, earlier: RunState) {
    this.#place = place;
    this.#folding = new Folding(earlier);
  }

  add(event: RunEvent): void {
    this.#folding.add(event);
  }

  /** What all events so far come to. */
  state(): RunState {
    return this.#folding.state();
  }

  /** `bytes`: the file's length, all events added are in it. */
  write(bytes: number, isEnd: boolean): void {
    const {file, events, from, before} = this.#place;
    const began = Date.now();
    if (bytes < from || (!isEnd && began < this.#nextAt)) return;
    try {
      const state = before ? withoutCurves(this.state()) : this.state();
      const made = {state, bytes, tail: tailOf(events, bytes), ...(before && {before})};
      writeWhole(file, formatSnapshot(made));
    } catch {
      // Readers do without it; whatever is wrong with the disk, the events' own writer says.
    }
    const now = Date.now();
    this.#nextAt = now + Math.max(interval, patience * (now - began));
  }
}
