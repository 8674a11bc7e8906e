/** Which columns of a file are read: all that become tokens or judge an answer, and no others. */

import type {DataSettings, EvaluationSettings, TaskName} from '../../../core/sweep/sweep.ts';
import {formats, placeholders} from '../../../core/sweep/table/formats.ts';
import {taskColumns} from '../../../core/sweep/table/task-columns.ts';
import type {Reading} from './reading.ts';
import {columnIn, type Row} from './row.ts';

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

/** The columns of an evaluation's data; a scorer of one's own gets the whole row. */
export function columnsToEvaluate(
  {task, columns = {}}: Pick<EvaluationSettings, 'columns'> & {task?: TaskName | undefined},
  data: DataSettings,
): Columns {
  if (task === 'custom') return {};
  const own = task && taskColumns[task];
  if (!own) return columnsOfInterest(readAs({columns}, data));
  const called = (name: string): string => columns[name] ?? name;
  return {columns: own.columns.map(called), ...(own.optional && {optional: own.optional.map(called)})};
}

/** How rows of an evaluation are read: as those that are trained on, but for the columns that it names itself. */
export function readAs(
  {columns}: {columns?: EvaluationSettings['columns'] | undefined},
  data: DataSettings,
): DataSettings {
  return columns ? {...data, columns: {...data.columns, ...columns}} : data;
}

/**
 * A row under the names that its task knows: `columns` gives those of the file by those of the task.
 * @throws SweepError `missing-column` for one that is named and not there
 */
export function renamed(row: Row, columns: Readonly<Record<string, string>> = {}): Row {
  const named = Object.entries(columns);
  if (named.length === 0) return row;
  return {
    ...row,
    values: {...row.values, ...Object.fromEntries(named.map(([name, own]) => [name, columnIn(row, own)]))},
  };
}
