/**
 * The wish that a run ends, as a file in its folder: whoever may write there can leave it, from any machine that sees the folder
 * and without a connection to the run.
 */
import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {readText} from '../files/door.ts';
import {discard, writeWhole} from '../files/write-whole.ts';

const stopName = 'stop';
const lookMilliseconds = 500;
/** Names of ten thousand attempts have less. */
const mostBytes = 1 << 20;

/**
 * Leaves the wish; of a run of tasks for these attempts only, added to those that are asked already.
 * @throws SweepError `cannot-write`
 */
export function askToStop(folder: string, attempts: readonly string[] = []): void {
  const file = join(folder, stopName);
  const before = attempts.length > 0 && existsSync(file) ? namesIn(file) : [];
  writeWhole(file, [...new Set([...before, ...attempts])].map(name => `${name}\n`).join(''));
}

function namesIn(file: string): string[] {
  return readText(file, mostBytes)
    .split('\n')
    .filter(name => name !== '');
}

/** The tasks of a run that somebody wanted stopped, `all` of them or by name; null where nobody did. */
export function stopWished(folder: string): 'all' | ReadonlySet<string> | null {
  const file = join(folder, stopName);
  if (!existsSync(file)) return null;
  const names = namesIn(file);
  return names.length === 0 ? 'all' : new Set(names.map(name => name.split('.')[0]!));
}

/** Takes back a wish that was left before. */
export function forgetStop(folder: string): void {
  discard(join(folder, stopName));
}

export interface StopWish {
  /** Aborted once the wish is there. */
  signal: AbortSignal;
  close(): void;
}

/** Aborts once somebody has left the wish; one that was left for an earlier run of the folder does not count. */
export function heedStopFile(folder: string): StopWish {
  const file = join(folder, stopName);
  discard(file);
  return heed(() => {
    if (!existsSync(file)) return false;
    discard(file);
    return true;
  });
}

/**
 * The same for tasks, which share the file: it stays, and counts for who was there before it came. It asks all of them where it is
 * empty, else the attempts (`t0003.a2.jsonl`) or tasks (`t0003`) that it names. `own`: attempts as they are at the time.
 */
export function heedStopOf(folder: string, own: () => readonly string[]): StopWish {
  const file = join(folder, stopName);
  let known = markOf(file);
  return heed(() => {
    const now = markOf(file);
    if (now === known || now === null) return false;
    known = now;
    return isMeant(file, own());
  });
}

/** Looks again and again, until it is so or somebody closes it. */
function heed(isWished: () => boolean): StopWish {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (!isWished()) return;
    clearInterval(timer);
    controller.abort();
  }, lookMilliseconds);
  timer.unref();
  return {
    signal: controller.signal,
    close() {
      clearInterval(timer);
    },
  };
}

/** What changes with every new file. */
function markOf(file: string): string | null {
  const found = statSync(file, {throwIfNoEntry: false});
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : null;
}

function isMeant(file: string, attempts: readonly string[]): boolean {
  try {
    const named = namesIn(file);
    return named.length === 0 || attempts.some(name => named.includes(name) || named.includes(name.split('.')[0]!));
  } catch {
    // It was replaced at this moment: the next look sees the new one.
    return false;
  }
}
