/** Which tasks of a run a start works on, as it was asked for. */
import {hostname} from 'node:os';
import {SweepError} from '../../../core/error.ts';
import {type Cut, type Shard, shardOf, type Task} from '../../../core/run/tasks/tasks.ts';
import {type ArrayIndex, arrayIndex, indexVariables} from '../../process/scheduler.ts';

/** Which part, and how fine a run that is not planned yet is cut for it. */
export interface Wanted {
  cut: Cut;
  /** The tasks of this start; none where there are fewer tasks than parts. @throws SweepError `usage` */
  of(tasks: readonly Task[]): Task[];
}

/**
 * `I/N`, or `auto`: the place of this process among those of its scheduler. Where that does not say how many there are, each has a cell.
 * @throws SweepError `usage`, `no-index`
 */
export function shardWanted(text: string, found: ArrayIndex | null = arrayIndex()): Wanted {
  if (text !== 'auto') {
    const [, index, parts] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
    if (index === undefined || Number(index) < 1 || Number(index) > Number(parts)) throw notAShard(text);
    return shard({index: Number(index), parts: Number(parts)});
  }
  const {variable, index, first, count} = found ?? noIndex('--shard I/N');
  const place = index - first + 1;
  if (place < 1 || (count !== null && place > count))
    throw new SweepError(
      'usage',
      `--shard auto: ${variable} is ${index}, and there ${count === 1 ? 'is 1 part' : `are ${count ?? 'no'} parts`} from ${first} on; number the array without gaps from ${first}.`,
    );
  if (count !== null) return shard({index: place, parts: count});
  return {
    cut: {},
    of(tasks) {
      if (place > tasks.length)
        throw new SweepError(
          'usage',
          `--shard auto: ${variable} is ${index}, and this sweep has ${tasks.length} cells, numbered from ${first}; give the array as many jobs.`,
        );
      return shardOf(tasks, {index: place, parts: tasks.length});
    },
  };
}

const shard = (one: Shard): Wanted => ({cut: {atLeast: one.parts}, of: tasks => shardOf(tasks, one)});

/** `t0007`, its number, or `auto`: as the scheduler numbers this process. @throws SweepError `usage`, `no-index` */
export function taskWanted(text: string, found: ArrayIndex | null = arrayIndex()): Wanted {
  const number = /^t?0*(\d+)$/.exec(text)?.[1];
  if (text !== 'auto' && number === undefined)
    throw new SweepError('usage', `--task ${text}: write auto, or a task such as t0007.`);
  const index = text === 'auto' ? (found ?? noIndex('--task t0007')) : undefined;
  return {
    cut: {},
    of(tasks) {
      const wanted = index ? numberOf(index, tasks.length) : Number(number);
      const task = tasks.find(one => Number(one.task.slice(1)) === wanted);
      if (task) return [task];
      const said = index ? `auto: ${index.variable} is ${index.index}` : text;
      throw new SweepError(
        'usage',
        `--task ${said}, and the tasks of this run are ${tasks[0]?.task} to ${tasks.at(-1)?.task}.`,
      );
    },
  };
}

/** An array over all tasks may begin anywhere; one over some of them is numbered as they are. */
function numberOf({index, first, count}: ArrayIndex, tasks: number): number {
  return count === tasks || first === 0 ? index - first + 1 : index;
}

function notAShard(text: string): SweepError {
  return new SweepError(
    'usage',
    `--shard ${text}: write part I of N, from 1 to N, e.g. --shard 2/3, or auto for the place in a scheduler's array.`,
  );
}

function noIndex(instead: string): never {
  throw new SweepError(
    'no-index',
    `no-index: no scheduler has numbered this process on ${hostname()} (none of ${indexVariables.join(', ')} is set); start it as part of an array of jobs, or write ${instead}.`,
  );
}
