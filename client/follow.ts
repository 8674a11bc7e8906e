/** A run folder as it grows: its events folded, whoever writes them. */
import {open, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {emptyRun, fold, interrupted, type RunState} from '../core/run/fold.ts';
import {readLine} from '../core/run/line.ts';

const chunkBytes = 1 << 18;

/** Reads `events.jsonl` as far as it is written, and goes on from there the next time. */
export class Follower {
  readonly #file: string;
  #state: RunState = emptyRun;
  #offset = 0;
  #held = Buffer.alloc(0);
  #busy: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#file = join(folder, 'events.jsonl');
  }

  /** What the events read so far come to; `alive`: a process is still writing. */
  state(alive: boolean): RunState {
    return alive ? this.#state : interrupted(this.#state);
  }

  /** Reads what is new; true where there was something. */
  async read(): Promise<boolean> {
    const before = this.#offset;
    this.#busy = this.#busy.then(() => this.#readOn());
    await this.#busy;
    return this.#offset !== before;
  }

  async #readOn(): Promise<void> {
    const size = await stat(this.#file).then(
      found => found.size,
      () => 0,
    );
    if (size < this.#offset) this.#startAgain();
    if (size === this.#offset) return;
    const file = await open(this.#file);
    try {
      const buffer = Buffer.alloc(chunkBytes);
      for (;;) {
        const {bytesRead} = await file.read(buffer, 0, chunkBytes, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#take(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  /** The file was replaced by a shorter one. */
  #startAgain(): void {
    this.#state = emptyRun;
    this.#offset = 0;
    this.#held = Buffer.alloc(0);
  }

  /** A line that is not written to its end waits for the rest. */
  #take(bytes: Buffer): void {
    const all = Buffer.concat([this.#held, bytes]);
    const end = all.lastIndexOf(10) + 1;
    this.#held = Buffer.from(all.subarray(end));
    for (const line of all.toString('utf8', 0, end).split('\n')) {
      if (line.trim() === '') continue;
      const {event} = readLine(line);
      if (event) this.#state = fold(this.#state, event);
    }
  }
}
