/** The tokenised rows of a sweep, shared by all workers. */
import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {type EncodingModel, ignored, rowEncoder, type TokenRow} from './encode.ts';
import {rowError} from './row.ts';
import {readRows} from './rows.ts';
import {SharedList} from './shared-list.ts';

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

/**
 * Reads and tokenises the training rows of `data`, whose paths are relative to `base`. `progress` hears the number of
 * rows now and then.
 * @throws SweepError `missing-file`, `missing-column`, `bad-data` (also: no rows, nothing to learn in any), `bad-model`
 */
export async function loadDataset(
  data: DataSettings,
  base: string,
  model: EncodingModel,
  progress?: (rows: number) => void,
): Promise<Dataset> {
  const files = data.train.map(file => resolve(base, file));
  const encode = rowEncoder(data, model);
  const [starts, ids, labels] = [new SharedList(), new SharedList(), new SharedList()];
  let [read, truncated, empty] = [0, 0, 0];
  starts.push(0);
  for await (const row of readRows(files, data.rows)) {
    const tokens = encode(row);
    const beyond = tokens.ids.find(id => id >= model.config.vocabSize);
    if (beyond !== undefined) {
      const sentence = `the tokenizer gives token ${beyond} but the model has only ${model.config.vocabSize}: they do not belong together.`;
      throw rowError('bad-data', row, sentence);
    }
    const whole = learntLength(tokens, tokens.ids.length);
    const length = learntLength(tokens, Math.min(whole, data.maxLength));
    if (whole > data.maxLength) truncated++;
    if (length === 0) empty++;
    else {
      for (let i = 0; i < length; i++) {
        ids.push(tokens.ids[i]!);
        labels.push(tokens.labels[i]!);
      }
      starts.push(ids.length);
    }
    if (++read % 1000 === 0) progress?.(read);
  }
  progress?.(read);
  const where = files.join(', ');
  if (read === 0) throw new SweepError('bad-data', `There are no rows in ${where}.`, {files});
  if (starts.length === 1) {
    const sentence = `No row of ${where} has a token to learn within max_length ${data.maxLength}: their prompts fill it, or all labels are ${ignored}.`;
    throw new SweepError('bad-data', sentence, {files});
  }
  return {count: starts.length - 1, starts: starts.view(), ids: ids.view(), labels: labels.view(), truncated, empty};
}

/**
 * The length up to the last token to be learnt within `limit`: what comes after it (padding) changes no loss. The first
 * token has nothing to be predicted from.
 */
function learntLength({labels}: TokenRow, limit: number): number {
  let length = limit;
  while (length > 0 && labels[length - 1] === ignored) length--;
  return length > 1 ? length : 0;
}
