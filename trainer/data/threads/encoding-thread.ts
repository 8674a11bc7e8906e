/** A thread that makes tokens of rows, a batch at a time, as `encodedUnderClock` does; it opens the tokenizer by itself. */
import {parentPort, workerData} from 'node:worker_threads';
import {SweepError} from '../../../core/error.ts';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {received} from '../../files/written-json.ts';
import {openTokenizer} from '../../text/tokenizer.ts';
import {checkedEncoder, type EncodingModel, whatEncodes} from '../encode.ts';
import {type Batch, encodedUnderClock} from '../read/timed-rows.ts';

export interface EncodingSetup {
  data: DataSettings;
  config: EncodingModel['config'];
  /** The tokenizer's. */
  folder: string;
}

/** Tokens of rows, one row after another. */
export interface SentRows {
  lengths: Int32Array<ArrayBuffer>;
  ids: Int32Array<ArrayBuffer>;
  labels: Int32Array<ArrayBuffer>;
  failure?: SentError;
}

/** `code`: null where it is none for users. */
export interface SentError {
  code: string | null;
  message: string;
  stack: string;
  data: Record<string, unknown>;
}

const {data, config, folder} = workerData as EncodingSetup;
const model = {tokenizer: openTokenizer(folder), config};
const encode = checkedEncoder(data, model);
const what = whatEncodes(data, model);

function encoded({rows, characters}: Batch): SentRows {
  const here = rows.map(row => ({...row, values: received(row.values) as Record<string, unknown>}));
  const {found, failure} = encodedUnderClock({rows: here, characters}, what, encode);
  const lengths = Int32Array.from(found, ({ids}) => ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const [ids, labels] = [new Int32Array(total), new Int32Array(total)];
  let at = 0;
  for (const row of found) {
    ids.set(row.ids, at);
    labels.set(row.labels, at);
    at += row.ids.length;
  }
  return {lengths, ids, labels, ...(failure && {failure: asSent(failure.error)})};
}

function asSent(error: unknown): SentError {
  const {message, stack = ''} = error instanceof Error ? error : new Error(String(error));
  const known = error instanceof SweepError ? error : null;
  return {code: known?.code ?? null, message, stack, data: known?.data ?? {}};
}

parentPort!.on('message', (batch: Batch) => {
  const sent = encoded(batch);
  parentPort!.postMessage(sent, [sent.lengths.buffer, sent.ids.buffer, sent.labels.buffer]);
});
