import type {DataFormat, TaskName} from '../sweep.ts';
import {formats} from './formats.ts';

/** Columns of the rows of tasks that have some of their own, under the names that the published sets have. */
export interface TaskColumns {
  /** Those that must be there. */
  columns: readonly string[];
  optional?: readonly string[];
  /** Those that a file may have under other names. */
  named?: readonly string[];
}

export const taskColumns: Partial<Record<TaskName, TaskColumns>> = {
  gsm8k: {columns: ['question', 'answer'], named: ['question', 'answer']},
  math: {
    columns: ['problem', 'solution'],
    optional: ['answer', 'level', 'type', 'subject', 'unique_id'],
    named: ['problem', 'solution', 'answer'],
  },
  humaneval: {columns: ['prompt', 'canonical_solution', 'entry_point', 'test'], optional: ['task_id', 'plus_input']},
  mbpp: {
    columns: ['code', 'test_list'],
    optional: [
      ...['task_id', 'text', 'prompt', 'test_setup_code', 'test_imports', 'challenge_test_list', 'source_file'],
      ...['test', 'plus_input'],
    ],
  },
  // Several published layouts: whole rows are read.
  'multiple-choice': {columns: [], named: ['question', 'choices', 'answer']},
  ifeval: {columns: ['prompt', 'instruction_id_list', 'kwargs'], optional: ['key']},
  commonsense: {columns: ['instruction', 'output', 'answer'], named: ['instruction', 'output', 'answer']},
};

/** The names that `columns` of an evaluation may give other columns for: the task's own, else those of the format. */
export function namedColumns(task: TaskName, format: DataFormat): readonly string[] {
  const own = taskColumns[task];
  if (own) return own.named ?? [];
  const {columns, optional} = formats[format];
  return [...Object.keys(columns), ...optional];
}
