/**
 * Limits on what other processes do, in seconds of their own that a full machine does not shorten: the processor time that
 * they take and the time that they spend waiting (asleep, for a device that does not answer), but not the time in which they
 * could go on and have no processor.
 */
import type {ChildProcess} from 'node:child_process';
import {setImmediate, setTimeout as sleep} from 'node:timers/promises';
import {processorTime} from './processes.ts';

/** Between two looks. This process may be late for one: what it missed counts as no more than this. */
const lookMilliseconds = 50;
/** Where the system does not tell what a process took, a limit is so much longer instead. */
const unknownFactor = 4;

/**
 * Waits for `work`, or until the processes (their ids; a list that may change) have had `seconds` of their own time.
 * @throws what `work` throws
 */
export async function within<T>(
  work: Promise<T>,
  seconds: number,
  processes: () => readonly (number | undefined)[],
): Promise<T | 'late'> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  const late = async (): Promise<'late'> => {
    let left = 1000 * seconds;
    const before = new Map<number, number>();
    let looked = performance.now();
    while (left > 0 && !settled) {
      await sleep(lookMilliseconds);
      const now = performance.now();
      left -= spent(processes(), before, Math.min(now - looked, lookMilliseconds), now - looked);
      looked = now;
    }
    // What came while this process was busy elsewhere is not late.
    await setImmediate();
    return 'late';
  };
  return Promise.race([done, late()]);
}

/** Ends a process that takes longer than `seconds` of its own time. */
export async function endAfter(seconds: number, child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const closed = new Promise(resolve => {
    child.once('close', resolve);
  });
  if ((await within(closed, seconds, () => [child.pid])) === 'late') child.kill('SIGKILL');
}

/**
 * Milliseconds of their own that processes had since the last look.
 * @param before processor time of each at the last look; is brought up to date
 * @param idle what counts where they only waited; @param most since the last look
 */
function spent(
  processes: readonly (number | undefined)[],
  before: Map<number, number>,
  idle: number,
  most: number,
): number {
  let took = 0;
  let runnable = false;
  let known = false;
  for (const id of processes) {
    const taken = processorTime(id);
    if (id === undefined || taken === undefined) continue;
    known = true;
    took += taken.milliseconds - (before.get(id) ?? taken.milliseconds);
    before.set(id, taken.milliseconds);
    runnable ||= taken.runnable;
  }
  if (!known) return process.platform === 'linux' ? idle : idle / unknownFactor;
  // Helper threads of the runtime work beside the one that counts.
  const worked = Math.min(took, most);
  return worked + (runnable ? 0 : Math.max(0, idle - worked));
}
