/** The tasks that generate, by name; `exact-match` and `custom` take their rows as the training data is read. */
import type {EvaluationSettings, TaskName} from '../../core/sweep/sweep.ts';
import {humaneval, mbpp} from './code.ts';
import {commonsense} from './commonsense.ts';
import {ifeval} from './ifeval/ifeval.ts';
import {gsm8k} from './mathematics/gsm8k.ts';
import {math} from './mathematics/math.ts';
import type {Task} from './task.ts';

export const tasks: Partial<Record<TaskName, Task>> = {gsm8k, math, humaneval, mbpp, commonsense, ifeval};

/** Whether a task's value is the share of samples that pass, of k. */
export const runsPrograms = (task: TaskName): boolean => task === 'humaneval' || task === 'mbpp';

/** The texts that an answer ends before: the sweep file's and the task's own. */
export function stopsOf({task, stop = []}: Pick<EvaluationSettings, 'task' | 'stop'>): string[] {
  return [...new Set([...stop, ...(tasks[task]?.stop ?? [])])];
}
