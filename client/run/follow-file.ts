/** A file of events as it grows: its whole lines, each once. */
import {type FileHandle, stat} from 'node:fs/promises';
import {setImmediate} from 'node:timers/promises';
import type {RunEvent} from '../../core/run/events.ts';
import {readLine} from '../../core/run/line.ts';
import {openRegular} from './regular.ts';

/** Read and folded at one go; whoever else waits has a turn before the next. */
const chunkBytes = 1 << 16;
/** Bytes of a line: the start of a run of a hundred thousand trials has half of this. */
const mostLineBytes = 64 << 20;

export interface FileListener {
  events(events: RunEvent[]): void;
  /** Before the first byte is read: where to begin instead, for whoever knows what stands before. */
  jump?(file: FileHandle, size: number): Promise<number>;
  /** The file was replaced by another one. */
  startAgain(): void;
}

export class FollowedFile {
  readonly #path: string;
  readonly #listener: FileListener;
  #offset = 0;
  /** Which file it was, by the file system. */
  #inode = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes there are to read, while it is being read. */
  #toRead: number | null = null;
  /** By the file system's own clock, of the last time that there was something new. */
  #writtenAt = 0;

  constructor(path: string, listener: FileListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Milliseconds since 1970. */
  get writtenAt(): number {
    return this.#writtenAt;
  }

  /** The part that is read, from 0 to 1; null while it is not being read. */
  get part(): number | null {
    return this.#toRead === null ? null : Math.min(1, this.#offset / this.#toRead);
  }

  /** Reads what is new; true where there was something. */
  async read(): Promise<boolean> {
    const found = await stat(this.#path).catch(() => undefined);
    const size = found?.isFile() ? found.size : 0;
    if (size < this.#offset || (this.#offset > 0 && found?.ino !== this.#inode)) this.#startAgain();
    this.#inode = found?.ino ?? 0;
    if (!found || size === this.#offset) return false;
    this.#writtenAt = found.mtimeMs;
    const file = await openRegular(this.#path);
    try {
      this.#toRead = size;
      if (this.#offset === 0) this.#offset = (await this.#listener.jump?.(file, size)) ?? 0;
      const buffer = Buffer.alloc(chunkBytes);
      for (;;) {
        const {bytesRead} = await file.read(buffer, 0, chunkBytes, this.#offset);
        if (bytesRead === 0) return true;
        this.#offset += bytesRead;
        this.#take(buffer.subarray(0, bytesRead));
        await setImmediate();
      }
    } finally {
      this.#toRead = null;
      await file.close();
    }
  }

  #startAgain(): void {
    this.#offset = 0;
    [this.#held, this.#heldBytes] = [[], 0];
    this.#listener.startAgain();
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
    this.#listener.events(lines.flatMap(line => (line.trim() === '' ? [] : (readLine(line).event ?? []))));
  }

  #hold(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > mostLineBytes) this.#held = [];
    // The chunk's own memory is used again.
    else if (bytes.length > 0) this.#held.push(Buffer.from(bytes));
  }
}
