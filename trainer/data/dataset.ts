/** The tokenised rows of a sweep, shared by all workers. */
import {resolve} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {SweepError} from '../../core/error.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {formats} from '../../core/sweep/table/formats.ts';
import {sizeOfRegular} from '../files/door.ts';
import {checkedEncoder, type EncodingModel, whatEncodes} from './encode.ts';
import {columnsOfInterest} from './read/columns.ts';
import {columnIn, type Row} from './read/row.ts';
import {readRows} from './read/rows.ts';
import {type Batch, encodedUnderClock, inBatches, resultsIn} from './read/timed-rows.ts';
import {SharedList} from './shared-list.ts';
import {encodedOnThreads, threadsFor} from './threads/encoding-threads.ts';
import {ignored, type TokenList, type TokenRow} from './token-row.ts';

/** Rows one after another; row r lies at starts[r] .. starts[r + 1] - 1. All arrays are on SharedArrayBuffers. */
export interface Dataset {
  count: number;
  /** count + 1 values. */
  starts: Int32Array;
  ids: Int32Array;
  /** Beside `ids`: the token itself where it is to be predicted (from the position before it), else -100. */
  labels: Int32Array;
  /** Rows that were longer than `max_length` and were cut. */
  truncated: number;
  /** Rows that had no token left to learn and were left out. */
  empty: number;
}

export interface Loading {
  /** Hears the number of rows now and then, and about how many there will be. */
  progress?: (rows: number, total: number) => void;
  /** Hears what is worth a line in the log. */
  note?(message: string): void;
  /** The rows are the first of more: what they lack may come later. */
  sample?: boolean;
  /** Ends the reading. */
  signal?: AbortSignal | undefined;
  /** That many rows are worth, at most; default 1, this one. */
  threads?: number | undefined;
}

/** Rows between two looks around. */
const stretch = 1000;

/**
 * Reads and tokenises the training rows of `data`, whose paths are relative to `base`, row by row: what is held is the
 * tokens.
 * @throws SweepError `missing-file`, `missing-column`, `bad-data` (also: no rows, nothing to learn in any), `bad-model`,
 * `bad-template`, `stopped`
 */
export async function loadDataset(
  data: DataSettings,
  base: string,
  model: EncodingModel,
  {progress, signal, sample = false, threads = 1}: Loading = {},
): Promise<Dataset> {
  const files = data.train.map(file => resolve(base, file));
  const collect = data.packing ? packer(data.maxLength) : collector(data.maxLength);
  const sizes = files.map(name => ({name, bytes: sizeOfRegular(name) ?? 0}));
  const bytes = sizes.reduce((sum, file) => sum + file.bytes, 0);
  let [read, done] = [0, 0];
  // A row may lack an optional column that the sweep file names; if all rows do, the name is wrong.
  let unseen = formats[data.format].optional.flatMap(name => data.columns[name] ?? []);
  let last: Row | undefined;
  const bytesRead = (more: number): void => {
    done += more;
  };
  const reading = {...columnsOfInterest(data), bytesRead};
  const seen = (rows: readonly Row[]): void => {
    last = rows.at(-1) ?? last;
    unseen = unseen.filter(name => !rows.some(({values}) => Object.hasOwn(values, name)));
  };
  const batches = watched(inBatches(readRows(files, data.rows, reading)), seen);
  for await (const tokens of tokensOf(batches, data, model, threadsFor(sizes, Math.min(threads, mostFor(data))))) {
    collect.add(tokens);
    if (++read % stretch > 0) continue;
    progress?.(read, Math.min(data.rows ?? Infinity, Math.max(read, Math.round((read * bytes) / Math.max(1, done)))));
    // Rows that lie in memory come without a pause in which a request to stop could be heard.
    await setImmediate();
    if (signal?.aborted) throw new SweepError('stopped', 'The reading of the data was stopped; nothing was written.');
  }
  progress?.(read, read);
  const [wrong] = unseen;
  const isPart = sample && read === data.rows;
  if (last && wrong !== undefined && !isPart) columnIn(last, wrong);
  const where = files.join(', ');
  if (read === 0) throw new SweepError('bad-data', `There are no rows in ${where}.`, {files});
  const dataset = collect.end();
  if (dataset.count > 0 || isPart) return dataset;
  const sentence = `No row of ${where} has a token to learn within max_length ${data.maxLength}: their prompts fill it, or all labels are ${ignored}.`;
  throw new SweepError('bad-data', sentence, {files});
}

/** Rows that are worth a thread. */
const rowsAThread = 5000;

/** Threads that so few rows are worth, at most; rows of tokens are only copied. */
function mostFor({format, rows = Infinity}: DataSettings): number {
  return format === 'tokens' ? 1 : rows / rowsAThread;
}

async function* watched(batches: AsyncIterable<Batch>, see: (rows: Row[]) => void): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    see(batch.rows);
    yield batch;
  }
}

/** Tokens of the rows, in order; an error comes in its row's place. */
async function* tokensOf(
  batches: AsyncIterable<Batch>,
  data: DataSettings,
  model: EncodingModel,
  threads: number,
): AsyncGenerator<TokenList> {
  // What is wrong with the tokenizer or its template is told before any row is read.
  const encode = checkedEncoder(data, model);
  const {tokenizer, config} = model;
  if (threads > 1 && tokenizer) {
    const {vocabSize, eosIds} = config;
    const setup = {data, config: {vocabSize, eosIds}, folder: tokenizer.folder};
    for await (const encoded of encodedOnThreads(batches, setup, threads)) yield* resultsIn(encoded);
    return;
  }
  const what = whatEncodes(data, model);
  for await (const batch of batches) yield* resultsIn(encodedUnderClock(batch, what, encode));
}

/** Rows that are tokens already, none of them cut. */
export function datasetOf(rows: readonly TokenRow[]): Dataset {
  const collect = collector(Number.POSITIVE_INFINITY);
  for (const row of rows) collect.add(row);
  return collect.end();
}

interface Collector {
  add(row: TokenList): void;
  end(): Dataset;
}

/** Each row by itself, cut where it is too long. */
function collector(maxLength: number): Collector {
  const [starts, ids, labels] = [new SharedList(), new SharedList(), new SharedList()];
  let [truncated, empty] = [0, 0];
  starts.push(0);
  return {
    add(row) {
      const whole = learntLength(row, row.ids.length);
      const length = learntLength(row, Math.min(whole, maxLength));
      if (whole > maxLength) truncated++;
      if (length === 0) {
        empty++;
        return;
      }
      ids.append(row.ids, length);
      labels.append(row.labels, length);
      starts.push(ids.length);
    },
    end: () => ({
      count: starts.length - 1,
      starts: starts.view(),
      ids: ids.view(),
      labels: labels.view(),
      truncated,
      empty,
    }),
  };
}

/**
 * Rows one after another, cut into blocks of `length` tokens, as group_texts of transformers' run_clm.py does; what is
 * left at the end fills no block and is left out, unless there is no other.
 */
function packer(length: number): Collector {
  const ids = new SharedList();
  return {
    add: row => ids.append(row.ids, row.ids.length),
    end() {
      const count = Math.floor(ids.length / length) || (ids.length > 1 ? 1 : 0);
      const starts = new SharedList();
      for (let block = 0; block <= count; block++) starts.push(Math.min(block * length, ids.length));
      const used = ids.view().subarray(0, Math.min(count * length, ids.length));
      return {count, starts: starts.view(), ids: used, labels: used, truncated: 0, empty: 0};
    },
  };
}

/**
 * The length up to the last token to be learnt within `limit`: what comes after it (padding) changes no loss. The first
 * token has nothing to be predicted from.
 */
function learntLength({labels}: TokenList, limit: number): number {
  let length = limit;
  while (length > 0 && labels[length - 1] === ignored) length--;
  return length > 1 ? length : 0;
}
