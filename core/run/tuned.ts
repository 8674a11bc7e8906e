import {count, isRecord, listOf, number, numberOrNull, record, text} from '../shape.ts';

/** What a search for one method's rate ended in, as `tune` tells it to programs. */
export interface Tuned {
  method: string;
  /** The best rate, and the rates around it that are not told apart from it, itself among them, rising. */
  rate: number;
  place: number[];
  /** Of the first evaluation, over the seeds at the best rate; `std` is null with one of them. */
  mean: number;
  std: number | null;
  seeds: number;
  /** The trial whose adapter was exported, and the folder that it lies in. */
  trial: string;
  exported: string;
  /** Optimizer steps taken, and those of every rate and seed that the file has for the method. */
  steps: number;
  gridSteps: number;
  /** Rate and mean in a sentence. */
  words: string;
}

const isTuned = record({
  ...{method: text, rate: number, place: listOf(number), mean: number, std: numberOrNull, seeds: count},
  ...{trial: text, exported: text, steps: count, gridSteps: count, words: text},
});

/** The message `{tuned}` of a trainer; undefined for any other one. */
export function readTuned(message: unknown): Tuned | undefined {
  if (!isRecord(message) || !isTuned(message['tuned'])) return undefined;
  return message['tuned'] as Tuned;
}
