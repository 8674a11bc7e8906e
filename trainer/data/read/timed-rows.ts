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
  let held: Row[] = [];
  let characters = 0;
  const encoded = function* () {
    const now = held;
    if (now.length === 0) return;
    const work = () => resultsOf(now, encode);
    const seconds = characters / charactersPerSecond;
    [held, characters] = [[], 0];
    const {found, failure} = underClock(`${what}, at ${now[0]!.file}:${now[0]!.line},`, work, seconds);
    yield* found;
    if (failure) throw failure.error;
  };
  try {
    for await (const row of rows) {
      held.push(row);
      characters += textIn(row);
      if (held.length === most || characters > mostCharacters) yield* encoded();
    }
  } catch (error) {
    // Whatever is wrong with this row, those before it come first.
    yield* encoded();
    throw error;
  }
  yield* encoded();
}

function resultsOf<T>(rows: readonly Row[], encode: (row: Row) => T): {found: T[]; failure?: {error: unknown}} {
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
