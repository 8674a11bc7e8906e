/** `events.jsonl`: append-only, one event a line, whole lines only; whatever a crash left behind can be read. */
import {closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, type Stats, statSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import type {RunEvent} from '../../core/run/events.ts';
import {formatLine, readLine} from '../../core/run/line.ts';
import {chunksOf} from '../files/door.ts';
import {folderGone, storeError, syncFolder} from '../files/write-whole.ts';

/** Bytes of a line: the start of a run of a hundred thousand trials has half of this. */
const mostLineBytes = 64 << 20;

/** What was found beside the events. */
export interface Reading {
  /** The last line ends in the middle of an event: the writer crashed, or is writing right now. */
  torn: boolean;
  /** Line numbers, from 1, that hold no event. */
  garbage: number[];
  /** Events of a later version, passed over. */
  unknown: number;
  /** Length of the file without the torn line. */
  wholeBytes: number;
  /** The last event is whole but its newline is missing. */
  open: boolean;
}

/** What a reading found beside the events of a file, in sentences. */
export function remarksOn({torn, garbage, unknown}: Reading, name: string): string[] {
  const found: string[] = [];
  if (torn) found.push(`The last line of ${name} is torn (the run was cut off while writing it); it is left out.`);
  if (garbage.length > 0) {
    const [noun, verb] = garbage.length === 1 ? ['Line', 'is'] : ['Lines', 'are'];
    found.push(
      `${noun} ${garbage.slice(0, 5).join(', ')}${garbage.length > 5 ? `, … (${garbage.length} in all)` : ''} of ${name} ${verb} unreadable and left out.`,
    );
  }
  if (unknown > 0) found.push(`${unknown} of the events in ${name} are of a later version and left out.`);
  return found;
}

/**
 * Hands every event of the file to `onEvent`, in order; from byte `start` on, which is the beginning of a line.
 * @throws SweepError `cannot-write` where the file cannot be read
 */
export async function readEvents(file: string, onEvent: (event: RunEvent) => void, start = 0): Promise<Reading> {
  const reading: Reading = {torn: false, garbage: [], unknown: 0, wholeBytes: 0, open: false};
  let line = 0;
  let rest: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    // Of a line that is too long for an event nothing is kept.
    if (length > mostLineBytes) rest = [];
    else rest.push(bytes);
  };
  const whole = (): string =>
    length > mostLineBytes ? 'too long' : (rest.length === 1 ? rest[0]! : Buffer.concat(rest)).toString('utf8');
  const take = (text: string, bytes: number, isLast: boolean): void => {
    line++;
    const read = readLine(text);
    if (read.event) onEvent(read.event);
    else if (read.reason === 'unknown') reading.unknown++;
    else if (isLast) reading.torn = true;
    else if (text.trim() !== '') reading.garbage.push(line);
    if (isLast) reading.open = !reading.torn;
    if (!reading.torn) reading.wholeBytes += bytes + (isLast ? 0 : 1);
  };
  try {
    for await (const bytes of chunksOf(file, start)) {
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        keep(bytes.subarray(from, end));
        take(whole(), length, false);
        [rest, length] = [[], 0];
        from = end + 1;
      }
      if (from < bytes.length) keep(bytes.subarray(from));
    }
  } catch (error) {
    throw storeError(error, file);
  }
  if (length > 0) take(whole(), length, true);
  return reading;
}

export interface EventWriter {
  append(event: RunEvent): void;
  /** Everything appended so far is in the file afterwards; `toDisk`: and survives a power cut. */
  flush(toDisk?: boolean): void;
  /** Bytes in the file. */
  size(): number;
  close(): void;
}

const flushMilliseconds = 100;

/**
 * Opens the file for appending, created if missing. `reading` is what `readEvents` found in it: a torn line is cut off.
 * A write that fails leaves whole lines only and is thrown by that call, or, where nobody has called, told to `failed` and
 * thrown by every later one. A file that is no longer the one at its path is never written to.
 * @throws SweepError `disk-full`, `cannot-write`, `folder-gone`
 */
export function openEvents(
  file: string,
  reading: Reading | null,
  failed: (error: unknown) => void = () => {},
): EventWriter {
  try {
    const handle = openSync(file, 'a');
    if (reading?.torn) ftruncateSync(handle, reading.wholeBytes);
    const writer = new EventFile({file, handle, rest: reading?.open ? '\n' : ''}, failed);
    syncFolder(dirname(file));
    return writer;
  } catch (error) {
    throw storeError(error, file);
  }
}

class EventFile implements EventWriter {
  readonly #file: string;
  readonly #handle: number;
  readonly #failed: (error: unknown) => void;
  /** As it was opened: what lies at its path must still be that. */
  readonly #opened: Pick<Stats, 'ino' | 'dev'>;
  #size: number;
  #waiting: string;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** @param rest what is to be written before anything else */
  constructor({file, handle, rest}: {file: string; handle: number; rest: string}, failed: (error: unknown) => void) {
    this.#file = file;
    this.#handle = handle;
    this.#waiting = rest;
    this.#failed = failed;
    const opened = fstatSync(handle);
    this.#opened = opened;
    this.#size = opened.size;
  }

  append(event: RunEvent): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting += formatLine(event);
    this.#timer ??= setTimeout(() => this.#flushLater(), flushMilliseconds);
  }

  flush(toDisk = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(this.#waiting);
    try {
      this.#checkPlace();
      let written = 0;
      while (written < bytes.length) written += writeSync(this.#handle, bytes, written);
      if (toDisk) fsyncSync(this.#handle);
    } catch (error) {
      this.#failure = storeError(error, this.#file);
      cutOff(this.#handle, this.#size);
      throw this.#failure;
    }
    this.#size += bytes.length;
    this.#waiting = '';
  }

  size(): number {
    return this.#size;
  }

  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#handle);
    }
  }

  #flushLater(): void {
    try {
      this.flush();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A folder that is moved or deleted takes the open file with it. */
  #checkPlace(): void {
    const there = statSync(this.#file, {throwIfNoEntry: false});
    const isSame = there?.ino === this.#opened.ino && there.dev === this.#opened.dev;
    // Some network drives number their files anew now and then.
    if (!isSame && there?.size !== this.#size) throw folderGone(dirname(this.#file));
  }
}

/** Takes half-written lines off the end. Where even that fails, the next opening of the file does it. */
function cutOff(handle: number, size: number): void {
  try {
    ftruncateSync(handle, size);
  } catch {
    // The error that led here is the one to tell.
  }
}
