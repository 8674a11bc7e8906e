/** Rows to tokens, a few at a time under the clock: what a tokenizer or a chat template makes of a row need not come to an end. */
import {underClock} from '../../files/clock.ts';
import {lookingAt} from '../../files/looking.ts';
import type {Row} from './row.ts';

/** Rows that share a clock, whose start costs as much as a row. */
const most = 64;
/** Characters beyond which rows are not waited for. */
const mostCharacters = 1 << 20;
/** Of the slowest tokenizers, a second. */
const charactersPerSecond = 100_000;

/** Rows one after another, and what was wrong with the one behind them. */
export interface Batch {
  rows: Row[];
  characters: number;
  failure?: {error: unknown};
}

/** What rows became, up to one that failed. */
export interface Encoded<T> {
  found: T[];
  failure?: {error: unknown};
}

/** All rows, in order; what goes wrong with reading one is in the last batch, after those before it. */
export async function* inBatches(rows: AsyncIterable<Row>): AsyncGenerator<Batch> {
  let batch: Batch = {rows: [], characters: 0};
  try {
    for await (const row of rows) {
      batch.rows.push(row);
      batch.characters += textIn(row);
      if (batch.rows.length < most && batch.characters <= mostCharacters) continue;
      yield batch;
      batch = {rows: [], characters: 0};
    }
  } catch (error) {
    batch.failure = {error};
  }
  if (batch.rows.length > 0 || batch.failure) yield batch;
}

/**
 * `encode` of the rows of a batch.
 * @param what whose work it is, for a sentence
 */
export function encodedUnderClock<T>(
  {rows, characters, failure}: Batch,
  what: string,
  encode: (row: Row) => T,
): Encoded<T> {
  const [first] = rows;
  if (first === undefined) return {found: [], ...(failure && {failure})};
  const work = () => resultsOf(rows, encode);
  try {
    const encoded = underClock(`${what}, at ${first.file}:${first.line},`, work, characters / charactersPerSecond);
    return failure && !encoded.failure ? {...encoded, failure} : encoded;
  } catch (error) {
    return {found: [], failure: {error}};
  }
}

/**
 * `encode` of every row, in order; an error comes in its row's place.
 * @param what whose work it is, for a sentence
 * @throws SweepError `bad-file` where a row does not come to an end
 */
export async function* timedRows<T>(
  rows: AsyncIterable<Row>,
  what: string,
  encode: (row: Row) => T,
): AsyncGenerator<T> {
  for await (const batch of inBatches(rows)) yield* resultsIn(encodedUnderClock(batch, what, encode));
}

/** What came out, and then what went wrong. */
export function* resultsIn<T>({found, failure}: Encoded<T>): Generator<T> {
  yield* found;
  if (failure) throw failure.error;
}

function resultsOf<T>(rows: readonly Row[], encode: (row: Row) => T): Encoded<T> {
  const found: T[] = [];
  try {
    for (const row of rows) {
      lookingAt(row.file);
      found.push(encode(row));
    }
    return {found};
  } catch (error) {
    return {found, failure: {error}};
  }
}

function textIn({values}: Row): number {
  let length = 0;
  for (const name in values) {
    const value = values[name];
    // What is no text is weighed as a page of it.
    length += typeof value === 'string' ? value.length : typeof value === 'object' ? 1000 : 0;
  }
  return length;
}
