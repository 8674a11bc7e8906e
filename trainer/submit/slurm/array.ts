/** Tasks as arrays of a scheduler: elements, cut to what it takes at a time. */
import {compareTasks} from '../../../core/run/tasks/names.ts';

/** What a scheduler says it takes. */
export interface Limits {
  /** An element's index stays below (Slurm's MaxArraySize). */
  indexBelow: number;
  /** Elements of all jobs that it keeps (Slurm's MaxJobCount). */
  jobs: number;
}

/** Slurm's own defaults (slurm.conf(5)). */
export const usualLimits: Limits = {indexBelow: 1001, jobs: 10_000};

/** One array: element `k` is the task of number `k + offset`. */
export interface TaskArray {
  tasks: string[];
  offset: number;
  /** The elements as Slurm writes them, e.g. `1-8` or `3,7-9`. */
  elements: string;
}

/**
 * The arrays that hold these tasks, as few as there can be. Where numbers stay below the limit an element has its task's number;
 * beyond it they are shifted.
 */
export function arraysOf(tasks: readonly string[], {indexBelow, jobs}: Limits = usualLimits): TaskArray[] {
  const numbers = tasks.toSorted(compareTasks).map(numberOf);
  const most = Math.max(1, Math.min(indexBelow - 1, jobs));
  const arrays: number[][] = [];
  for (const number of numbers) {
    const open = arrays.at(-1);
    const fits = open && open.length < most && number - offsetOf(open[0]!, number, most) <= most;
    if (fits) open.push(number);
    else arrays.push([number]);
  }
  return arrays.map(own => arrayOf(own, offsetOf(own[0]!, own.at(-1)!, most)));
}

/** The first half of an array, at least one task. */
export function halfOf({tasks, offset}: TaskArray): TaskArray {
  return arrayOf(tasks.slice(0, Math.ceil(tasks.length / 2)).map(numberOf), offset);
}

const arrayOf = (numbers: readonly number[], offset: number): TaskArray => ({
  tasks: numbers.map(nameOf),
  offset,
  elements: rangesOf(numbers.map(number => number - offset)),
});

/** Nothing is shifted where the last number is below the limit. */
function offsetOf(first: number, last: number, most: number): number {
  return last <= most ? 0 : first - 1;
}

const numberOf = (task: string): number => Number(task.slice(1));
const nameOf = (number: number): string => `t${String(number).padStart(4, '0')}`;

/** `1-3,7,9-10` of rising numbers. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
