/** In which form trainings are done, and the next smaller one when memory runs out. Another form moves the last digits of a loss only. */
import type {Prepared} from './prepare.ts';

export interface Form {
  /** Layers are computed again in the backward pass. */
  recompute: boolean;
  /** Rows of a batch that are computed at a time, at most. */
  rows: number;
  /** Trials side by side, at most. */
  workers: number;
}

/** The next smaller form, with a sentence for the log; null where there is none. `mayRecompute`: the sweep file does not rule it out. */
export function smallerForm(form: Form, mayRecompute: boolean): {form: Form; message: string} | null {
  const {recompute, rows, workers} = form;
  const ranOut = (what: string) => `Memory ran out: from here on ${what}, and what was under way goes on so.`;
  if (!recompute && mayRecompute)
    return {form: {...form, recompute: true}, message: ranOut('layers are computed again in the backward pass')};
  if (rows > 1) {
    const half = Math.ceil(rows / 2);
    const several = half > 1 ? `${half} rows of a batch are` : 'one row of a batch is';
    return {form: {...form, rows: half}, message: ranOut(`${several} computed at a time`)};
  }
  if (workers > 1) {
    const fewer = workers > 2 ? `${workers - 1} trials train` : 'one trial trains';
    return {form: {...form, workers: workers - 1}, message: ranOut(`${fewer} at a time`)};
  }
  return null;
}

/** The form that a run begins with. */
export function firstForm(prepared: Prepared, batchSizes: readonly number[], workers: number): Form {
  const rows = Math.max(1, ...batchSizes.map(size => prepared.source(size).rows));
  return {recompute: prepared.size.recompute, rows, workers};
}

/** What was prepared, to be trained in a form. */
export function inForm(prepared: Prepared, {recompute, rows}: Form): Prepared {
  const source = (batchSize: number) => prepared.source(batchSize, rows);
  // What does not fit without is computed again in any form.
  return {...prepared, size: {...prepared.size, recompute: recompute || prepared.size.recompute}, source};
}
