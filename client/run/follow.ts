/** A run folder as it grows: its events folded, whoever writes them. */
import {type FileHandle, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {emptyRun, foldAll, interrupted, type RunState} from '../../core/run/fold.ts';
import {readLine} from '../../core/run/line.ts';
import {readSnapshot, snapshotName, tailBytes} from '../../core/run/snapshot.ts';
import {openRegular, readRegular} from './regular.ts';

const chunkBytes = 1 << 18;
/** Larger ones take longer than the events themselves. */
const mostSnapshotBytes = 256 << 20;
/** Bytes of a line: the start of a run of a hundred thousand trials has half of this. */
const mostLineBytes = 64 << 20;

/** Reads `events.jsonl` as far as it is written, and goes on from there the next time. */
export class Follower {
  readonly folder: string;
  readonly #file: string;
  readonly #snapshot: string;
  #state: RunState = emptyRun;
  #offset = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #busy: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.folder = folder;
    this.#file = join(folder, 'events.jsonl');
    this.#snapshot = join(folder, snapshotName);
  }

  /** What the events read so far come to; `alive`: a process is still writing. */
  state(alive: boolean): RunState {
    return alive ? this.#state : interrupted(this.#state);
  }

  /** Reads what is new; true where there was something. */
  async read(): Promise<boolean> {
    const before = this.#offset;
    const reading = this.#busy.then(() => this.#readOn());
    // What goes wrong this time is tried anew the next.
    this.#busy = reading.catch(() => {});
    await reading.catch((error: NodeJS.ErrnoException) => {
      // A folder may be deleted between two looks at it.
      if (error.code !== 'ENOENT') throw error;
    });
    return this.#offset !== before;
  }

  async #readOn(): Promise<void> {
    const size = await stat(this.#file).then(
      found => (found.isFile() ? found.size : 0),
      () => 0,
    );
    if (size < this.#offset) this.#startAgain();
    if (size === this.#offset) return;
    const file = await openRegular(this.#file);
    try {
      if (this.#offset === 0) await this.#jump(file, size);
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

  /** Begins behind what a snapshot stands for, where there is one and it is of this very file. */
  async #jump(file: FileHandle, size: number): Promise<void> {
    const snapshot = readSnapshot(await readRegular(this.#snapshot, mostSnapshotBytes).catch(() => ''));
    if (!snapshot || snapshot.bytes > size) return;
    const before = Math.min(tailBytes, snapshot.bytes);
    const {buffer} = await file.read(Buffer.alloc(before), 0, before, snapshot.bytes - before);
    if (buffer.toString('latin1') !== snapshot.tail) return;
    this.#state = snapshot.state;
    this.#offset = snapshot.bytes;
  }

  /** The file was replaced by a shorter one. */
  #startAgain(): void {
    this.#state = emptyRun;
    this.#offset = 0;
    [this.#held, this.#heldBytes] = [[], 0];
  }

  /** A line that is not written to its end waits for the rest; of one that is too long for an event nothing is kept. */
  #take(bytes: Buffer): void {
    const end = bytes.lastIndexOf(10) + 1;
    if (end === 0) {
      this.#hold(bytes);
      return;
    }
    const first = bytes.indexOf(10);
    this.#hold(bytes.subarray(0, first));
    const lines = [
      this.#heldBytes > mostLineBytes ? '' : Buffer.concat(this.#held).toString('utf8'),
      ...bytes.toString('utf8', first + 1, end).split('\n'),
    ];
    [this.#held, this.#heldBytes] = [[], 0];
    this.#hold(bytes.subarray(end));
    this.#state = foldAll(
      this.#state,
      lines.flatMap(line => (line.trim() === '' ? [] : (readLine(line).event ?? []))),
    );
  }

  #hold(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > mostLineBytes) this.#held = [];
    // The chunk's own memory is used again.
    else if (bytes.length > 0) this.#held.push(Buffer.from(bytes));
  }
}
