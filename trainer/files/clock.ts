/**
 * A stranger's patterns and templates under a clock. V8 ends a script that takes too long, a regular expression in the
 * middle of its search included; the bulk of the work is watched from outside instead (inspect/reader).
 */
import {createContext, Script} from 'node:vm';
import {SweepError} from '../../core/error.ts';
import {threadSeconds} from '../process/processes.ts';

/** Seconds of processor time that a piece of work without a size of its own may take. */
const limit = 3;

const task: {run: () => unknown; value: unknown} = {run: () => undefined, value: undefined};
let running = false;
let watched = false;
let prepared: {script: Script; context: object} | undefined;

/** Such an error is of the script's own realm, so that it is no instance of this one's Error. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/** This process is watched as a whole: from now on nothing is timed here. */
export function isWatched(): void {
  watched = true;
}

/**
 * The work's result. Work within other timed work is timed with it.
 * @param what for the sentence: whose work it is
 * @param seconds of processor time that its size adds
 * @throws SweepError `bad-file` where it does not come to an end
 */
export function underClock<T>(what: string, work: () => T, seconds = 0): T {
  if (running || watched) return work();
  prepared ??= {script: new Script('task.value = task.run()'), context: createContext({task})};
  const {script, context} = prepared;
  const began = threadSeconds();
  const most = Math.ceil(limit + seconds);
  running = true;
  try {
    for (;;) {
      task.run = work;
      try {
        script.runInContext(context, {timeout: most * 1000});
        return task.value as T;
      } catch (error) {
        if (!isTimeout(error)) throw error;
        // On a busy machine so much time is not so much work: once more, from the start.
        if (threadSeconds() - began < most * 0.8) continue;
        throw new SweepError(
          'bad-file',
          `${what} took more than ${most} s and was ended: a pattern or loop in it does not come to an end.`,
        );
      }
    }
  } finally {
    running = false;
    task.run = () => undefined;
    task.value = undefined;
  }
}
