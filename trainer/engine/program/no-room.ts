/** What runtimes and JavaScript say when an allocation fails, in our own words. */
import {SweepError} from '../../../core/error.ts';

const refused =
  /bad[ _]alloc|failed to allocate memory|array buffer allocation failed|cannot allocate memory|OOM when allocating|ENOMEM/i;

/** The error as `no-memory` where an allocation failed; else as it is. */
export function roomError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SweepError || !refused.test(error.message)) return error;
  const first = error.message.split('\n')[0]!.slice(0, 300);
  return noMemory(first);
}

/** `what`: how that showed. */
export function noMemory(what: string): SweepError {
  return new SweepError(
    'no-memory',
    `There is too little memory even for one row at a time (${what}); use shorter rows (data.max_length) or a smaller rank, or allow the process more.`,
  );
}

/** Whether less at a time may help: on a GPU, or in the memory of the process. */
export const needsRoom = (error: unknown): error is SweepError =>
  error instanceof SweepError && (error.code === 'gpu-memory' || error.code === 'no-memory');
