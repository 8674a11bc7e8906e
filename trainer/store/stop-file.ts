/**
 * The wish that a run ends, as a file in its folder: whoever may write there can leave it, from any machine that sees the folder
 * and without a connection to the run.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {discard, writeWhole} from '../files/write-whole.ts';

const stopName = 'stop';
const lookMilliseconds = 500;

/** Leaves the wish. @throws SweepError `cannot-write` */
export function askToStop(folder: string): void {
  writeWhole(join(folder, stopName), '');
}

/** Whether the wish is there, left for whoever works in the folder. */
export function isStopWished(folder: string): boolean {
  return existsSync(join(folder, stopName));
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
  const controller = new AbortController();
  discard(file);
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    discard(file);
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
