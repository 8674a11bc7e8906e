/** Which columns of a file are read: all that become tokens or judge an answer, and no others. */

import type {DataSettings, TaskName} from '../../../core/sweep/sweep.ts';
import {formats, placeholders} from '../../../core/sweep/table/formats.ts';
import type {Reading} from './reading.ts';

type Columns = Pick<Reading, 'columns' | 'optional'>;

/** The columns that become tokens. */
export function columnsOfInterest({format, columns, template}: DataSettings): Columns {
  if (format === 'tokens') return {columns: ['input_ids', 'labels'], optional: ['attention_mask']};
  const own = formats[format].columns;
  if (format === 'messages') {
    const named = columns['messages'] ?? own['messages']!;
    const beside = ['system', 'tools'];
    // Where the usual name is not there, ShareGPT's may be.
    return named === own['messages']
      ? {columns: [], optional: [named, 'conversations', ...beside]}
      : {columns: [named], optional: beside};
  }
  const filled = typeof template === 'object' ? placeholders(template.prompt) : [];
  const names = [...new Set([...Object.keys({...own, ...columns}), ...filled])];
  const called = (name: string): string => columns[name] ?? own[name] ?? name;
  const {optional} = formats[format];
  return {
    columns: names.filter(name => !optional.includes(name)).map(called),
    optional: names.filter(name => optional.includes(name)).map(called),
  };
}

/** The columns that the tasks' own data sets have. */
const ofTasks: Partial<Record<TaskName, Columns>> = {
  gsm8k: {columns: ['question', 'answer']},
  math: {columns: ['problem', 'solution'], optional: ['answer', 'level', 'type', 'subject', 'unique_id']},
  humaneval: {columns: ['prompt', 'canonical_solution', 'entry_point', 'test'], optional: ['task_id']},
  mbpp: {
    columns: ['code', 'test_list'],
    optional: ['task_id', 'text', 'prompt', 'test_setup_code', 'test_imports', 'challenge_test_list', 'source_file'],
  },
};

/** The columns of an evaluation's data; a scorer of one's own gets the whole row. */
export function columnsToEvaluate(task: TaskName | undefined, data: DataSettings): Columns {
  if (task === 'custom') return {};
  return (task && ofTasks[task]) ?? columnsOfInterest(data);
}
