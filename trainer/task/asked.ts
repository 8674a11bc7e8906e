/** Rows of a task, which have columns of their own, as rows of the training format: asked as the model was taught. */
import {SweepError} from '../../core/error.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {formats} from '../../core/sweep/table/formats.ts';
import type {Row} from '../data/read/row.ts';

/** What a task makes of one of its rows: the instruction, and a right answer. */
export interface Words {
  asked: string;
  expected: string;
}

export function askedAs(row: Row, {asked, expected}: Words, {format, columns}: DataSettings): Row {
  const named = (name: string): string => columns[name] ?? formats[format].columns[name] ?? name;
  const place = {file: row.file, line: row.line};
  switch (format) {
    case 'instruction':
      // There is no further input, whatever column the training data has for one.
      return {...place, values: {[named('input')]: '', [named('instruction')]: asked, [named('output')]: expected}};
    case 'completion':
      return {...place, values: {[named('prompt')]: asked, [named('completion')]: expected}};
    case 'messages':
      return {
        ...place,
        values: {
          [named('messages')]: [
            {role: 'user', content: asked},
            {role: 'assistant', content: expected},
          ],
        },
      };
    default:
      throw new SweepError(
        'bad-data',
        `Tasks ask in words, which data of format ${format} does not teach; use format instruction, completion or messages.`,
      );
  }
}
