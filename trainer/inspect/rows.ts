/** The rows of a sweep as far as a check looks: lengths of the first ones, number of all, and which are trained and tested on. */

import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {mean} from '../../core/numbers.ts';
import type {DataFacts, Fault} from '../../core/sweep/inspection.ts';
import type {DataSettings, EvaluationSettings, Sweep} from '../../core/sweep/sweep.ts';
import {formats} from '../../core/sweep/table/formats.ts';
import {commonBeginning} from '../data/batch.ts';
import {loadDataset} from '../data/dataset.ts';
import {type EncodingModel, isChat, tokensIn} from '../data/encode.ts';
import {conversationOf} from '../data/messages.ts';
import {readAs, renamed} from '../data/read/columns.ts';
import {type Row, textIn} from '../data/read/row.ts';
import {readRows} from '../data/read/rows.ts';
import {textsOf} from '../data/template.ts';
import {ignored} from '../data/token-row.ts';
import {sizeOfRegular} from '../files/door.ts';
import {questionOf} from '../task/choices/questions.ts';
import {tasks} from '../task/tasks.ts';

/** Rows of each data file that are tokenised. */
export const sampledRows = 100;
/** Files that are larger together are not read to their end. */
const mostBytes = 512e6;
/** Longer than any row, so that nothing is cut. */
const unlimited = 1_048_576;

/** What a file's rows are for. */
export interface Looked {
  /** Of an evaluation; null for rows to train on. */
  task: EvaluationSettings['task'] | null;
  columns?: EvaluationSettings['columns'] | undefined;
}

/**
 * Reads the first rows of a file as far as that needs no tokenizer: that they are there, have their columns, and hold text.
 * @param data how rows are read; undefined: that they are rows is all that is looked at
 */
export async function lookAtFile(
  file: string,
  rows: number,
  data: DataSettings | undefined,
  {task, columns}: Looked,
): Promise<[]> {
  const known = task === null ? undefined : tasks[task];
  const read = data && texts(readAs({columns}, data));
  let count = 0;
  for await (const row of readRows([file], rows)) {
    count++;
    // A task has columns of its own.
    if (task === 'multiple-choice') questionOf(renamed(row, columns));
    else if (known) {
      const own = renamed(row, columns);
      [known.asked(own), known.expected(own)];
    } else read?.(row);
  }
  if (count === 0) throw new SweepError('bad-data', `There are no rows in ${file}.`, {file});
  return [];
}

/** Takes the texts of a row out of it. */
function texts(data: DataSettings): (row: Row) => void {
  if (data.format === 'tokens') return row => tokensIn(row, Number.MAX_SAFE_INTEGER);
  if (isChat(data)) return row => conversationOf(row, data);
  if (data.format === 'text') return row => textIn(row, data.columns['text'] ?? 'text');
  return row => textsOf(row, data);
}

/** How long a row is, and how much of it is learnt, in tokens. */
export interface SampledRow {
  length: number;
  targets: number;
  /** Where the first token stands that is learnt; absent where that was not looked for. */
  first?: number;
}

export interface Sample {
  rows: SampledRow[];
  /** The tokens that all rows begin with and nothing is predicted from; absent where they were not looked for. */
  beginning?: number[];
  /** Rows of which nothing is learnt, however long they may be. */
  empty: number;
}

/** The first rows, uncut: their lengths in tokens, and how many tokens of them are learnt. */
export async function sampleOf(data: DataSettings, base: string, model: EncodingModel): Promise<Sample> {
  const rows = Math.min(sampledRows, data.rows ?? sampledRows);
  const {packing: _, ...apart} = data;
  const dataset = await loadDataset({...apart, rows, maxLength: unlimited}, base, model, {sample: true});
  const {starts, count, labels, empty} = dataset;
  const sampled = Array.from({length: count}, (_, row) => {
    const own = labels.subarray(starts[row], starts[row + 1]);
    // Nothing predicts the first token.
    const first = own.findIndex((label, at) => at > 0 && label !== ignored);
    return {length: own.length, targets: own.filter(label => label !== ignored).length, first};
  });
  return {rows: sampled, empty, beginning: [...dataset.ids.subarray(0, commonBeginning(dataset))]};
}

/** Samples of several files as one; `beginning`: how many tokens all rows begin with. */
export function together(samples: readonly Sample[]): Omit<Sample, 'beginning'> & {beginning: number} {
  const [first = [], ...others] = samples.map(({beginning = []}) => beginning);
  const end = first.findIndex((id, at) => others.some(other => other[at] !== id));
  return {
    rows: samples.flatMap(({rows}) => rows),
    empty: samples.reduce((sum, {empty}) => sum + empty, 0),
    beginning: end < 0 ? first.length : end,
  };
}

/** What so many texts that look like `sample` become when they are packed. */
export function blocksOf(
  texts: number,
  sample: readonly SampledRow[],
  {maxLength}: DataSettings,
): {rows: number; sample: SampledRow[]; beginning: number} {
  const tokens = sample.length === 0 ? 0 : mean(sample.map(({length}) => length));
  const rows = Math.max(1, Math.floor((texts * tokens) / maxLength));
  return {rows, sample: [{length: maxLength, targets: maxLength - 1}], beginning: 0};
}

/** Rows that will be cut, and those that will be left out. */
export function longRows({rows: sample, empty}: Sample, {maxLength}: DataSettings): Fault[] {
  const lengths = sample.map(({length}) => length);
  const longer = lengths.filter(length => length > maxLength).length;
  const all = lengths.length + empty;
  const left = empty + sample.filter(({first = 0}) => first >= maxLength).length;
  const leftOut: Fault[] =
    left === 0
      ? []
      : [
          {
            code: 'data/long-rows',
            severity: 'warning',
            message: `${left} of the first ${all} rows have no token to learn within ${maxLength} tokens and will be left out.`,
            path: ['data', 'max_length'],
          },
        ];
  if (longer === 0) return leftOut;
  const longest = Math.max(...lengths);
  const share = `${Math.max(1, Math.round((100 * longer) / all))} %`;
  const message = `${share} (${longer}) of the first ${all} rows are longer than ${maxLength} tokens and will be cut (the longest has ${longest}): raise data.max_length to learn them whole.`;
  return [
    {code: 'data/long-rows', severity: 'warning', message, path: ['data', 'max_length'], instead: String(longest)},
    ...leftOut,
  ];
}

export interface Survey {
  rows: number;
  /** By evaluation: its rows, and how many of them are trained on. */
  shared: {rows: number; trained: number}[];
}

/** Reads all training rows and looks for those that are tested on; null where the files are too large for that. */
export async function survey({data, evaluate}: Sweep, base: string): Promise<Survey | null> {
  const paths = (files: readonly string[]) => files.map(file => resolve(base, file));
  const bytes = [...paths(data.train), ...paths(evaluate.map(({data: file}) => file))].map(
    file => sizeOfRegular(file) ?? 0,
  );
  if (bytes.reduce((sum, size) => sum + size, 0) > mostBytes) return null;
  const tests = await Promise.all(evaluate.map(evaluation => keysOf(evaluation, data, base)));
  /** Every tested row, and whether it is trained on. */
  const trained = new Map(tests.flatMap(keys => [...keys].map(key => [key, false])));
  let rows = 0;
  for await (const row of readRows(paths(data.train), data.rows)) {
    rows++;
    if (trained.size === 0) continue;
    const key = keyOf(row, data);
    if (trained.has(key)) trained.set(key, true);
  }
  return {
    rows,
    shared: tests.map(keys => ({rows: keys.size, trained: [...keys].filter(key => trained.get(key)).length})),
  };
}

/** Tested rows that are trained on too. */
export function overlaps(shared: Survey['shared'], evaluate: readonly EvaluationSettings[]): Fault[] {
  return shared.flatMap(({rows, trained}, index) => {
    if (trained === 0) return [];
    const message = `${trained} of the ${rows} rows of ${evaluate[index]!.data} are trained on, word for word: the score would praise memory. Take them out of one of the two files.`;
    return [{code: 'data/overlap' as const, severity: 'warning' as const, message, path: ['evaluate', index, 'data']}];
  });
}

async function keysOf(evaluation: EvaluationSettings, data: DataSettings, base: string): Promise<Set<string>> {
  const keys = new Set<string>();
  const own = readAs(evaluation, data);
  for await (const row of readRows([resolve(base, evaluation.data)], evaluation.limit)) keys.add(keyOf(row, own));
  return keys;
}

/** What makes a row what it is: the columns that become text. */
function keyOf({values}: Row, {format, columns}: DataSettings): string {
  const {columns: needed, optional} = formats[format];
  const named = [...Object.keys(needed), ...optional].map(name => columns[name]);
  const names = format === 'tokens' ? ['input_ids'] : format === 'messages' ? [...named, 'conversations'] : named;
  return JSON.stringify(names.map(name => (name === undefined ? null : (values[name] ?? null))));
}

/** What the editor shows of the rows. */
export function dataFacts(rows: number, sample: readonly SampledRow[], maxLength: number): DataFacts {
  const lengths = sample.map(({length}) => length);
  return {
    rows,
    sampled: lengths.length,
    longer: lengths.filter(length => length > maxLength).length,
    longest: Math.max(0, ...lengths),
  };
}
