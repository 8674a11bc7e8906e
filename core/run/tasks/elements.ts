/** Tasks as a scheduler numbers them: an element of an array is a task. */
import type {Submitted} from '../events.ts';

/** What of a submission says which element a task is. */
export type HandedOver = Pick<Submitted, 'job' | 'tasks' | 'offset'>;

/** All jobs that a task was handed to, as the scheduler names its elements, e.g. `12_3`: the last one first. */
export function elementsOf(submitted: readonly HandedOver[], task: string): string[] {
  return submitted
    .filter(({job, tasks}) => job !== null && tasks.includes(task))
    .map(({job, offset = 0}) => `${job}_${Number(task.slice(1)) - offset}`)
    .toReversed();
}

/** What the job of an element said, in the run folder. */
export function logName(element: string): string {
  return `logs/${element}.log`;
}

/** The last of them; null where there was none. */
export function elementOf(submitted: readonly HandedOver[], task: string): string | null {
  return elementsOf(submitted, task)[0] ?? null;
}
