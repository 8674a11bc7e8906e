/** IFEval (Zhou et al. 2023): prompts with instructions that can be verified; rows `{prompt, instruction_id_list, kwargs}` as published. */
import {columnIn, type Row, rowError, textIn} from '../../data/read/row.ts';
import {isObject} from '../../files/json-file.ts';
import type {Task} from '../task.ts';
import {checkOf, undecided} from './instructions.ts';
import {strip} from './python-text.ts';

/** The instructions of a row, each with its arguments. */
function instructionsOf(row: Row): {id: string; values: Record<string, unknown>}[] {
  const [ids, kwargs] = ['instruction_id_list', 'kwargs'].map(name => columnIn(row, name));
  const isRow = Array.isArray(ids) && Array.isArray(kwargs) && ids.length === kwargs.length && ids.length > 0;
  if (!isRow || !ids.every(id => typeof id === 'string'))
    throw rowError('bad-data', row, 'instruction_id_list and kwargs are no lists of the same length.');
  return ids.map((id, place) => {
    const given: unknown = kwargs[place] ?? {};
    if (!isObject(given)) throw rowError('bad-data', row, `kwargs[${place}] is no mapping of names to values.`);
    return {id, values: given};
  });
}

export const ifeval: Task = {
  asked: row => textIn(row, 'prompt'),
  /** Many responses are right: there is none to learn. */
  expected(row) {
    for (const {id, values} of instructionsOf(row)) if (!Object.hasOwn(undecided, id)) checkOf(row, id, values);
    return '';
  },
  leftOut(row) {
    const {id} = instructionsOf(row).find(one => Object.hasOwn(undecided, one.id)) ?? {};
    return id === undefined ? null : `${id}, which needs ${undecided[id]}`;
  },
  /** Strictly: of the response as it is. One without a sign follows nothing. */
  judge(row, output) {
    const list = instructionsOf(row);
    const followed = list.map(({id, values}) => strip(output) !== '' && checkOf(row, id, values)(output));
    const missed = list.filter((_, place) => !followed[place]).map(({id}) => id);
    return {
      extracted: output,
      verdict: missed.length === 0,
      parts: {right: followed.length - missed.length, total: followed.length},
      ...(missed.length > 0 ? {reason: `does not follow ${missed.join(', ')}`} : {}),
    };
  },
};
