/** Two methods on the same questions: how far their difference may be off because these and no others were asked. */
import {dunnett} from './dunnett.ts';

/** Which questions of an evaluation were answered rightly, in their order, as it stands in an event: `6:b4` is 1, 0, 1, 1, 0, 1. */
export function packRight(right: readonly boolean[]): string {
  let digits = '';
  for (let place = 0; place < right.length; place += 4) {
    const four = [0, 1, 2, 3].map(k => (right[place + k] ? 8 >> k : 0));
    digits += four.reduce((sum, bit) => sum + bit, 0).toString(16);
  }
  return `${right.length}:${digits}`;
}

/** The same again; null for a text that is none. */
export function unpackRight(text: string): boolean[] | null {
  const [, count, digits] = /^(\d{1,9}):([\da-f]*)$/.exec(text) ?? [];
  if (count === undefined || digits === undefined || digits.length !== Math.ceil(Number(count) / 4)) return null;
  const values = [...digits].map(digit => Number.parseInt(digit, 16));
  return Array.from({length: Number(count)}, (_, place) => (values[place >> 2]! & (8 >> (place & 3))) !== 0);
}

/** How a difference of two means over the same questions may be off. */
export interface Paired {
  /** Standard error of the mean difference, over questions. */
  error: number;
  questions: number;
}

/**
 * From the answers of every seed of two methods (`packRight`): each question's share of right seeds, the one's less the other's, over
 * all questions. Null where seeds are missing or were asked other questions.
 */
export function paired(one: readonly string[], other: readonly string[]): Paired | null {
  const [a, b] = [sharesOf(one), sharesOf(other)];
  if (!a || !b || a.length !== b.length || a.length < 2) return null;
  const differences = a.map((share, place) => share - b[place]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / a.length;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {error: Math.sqrt(squares / (a.length - 1) / a.length), questions: a.length};
}

/** Half of the interval over questions, for all `k` comparisons with a baseline together. */
export function halfOver({error, questions}: Paired, k: number, confidence: number): number {
  return dunnett(confidence, k, questions - 1) * error;
}

/**
 * Of a method's answers (`packRight`, a seed each) and the standard deviation of its seeds' accuracies: the variance of a single answer over
 * seeds, without what all answers of a seed have in common. Divided by the number of questions it is the part of the accuracies' variance
 * that further questions take away; 0 where that is not known.
 */
export function noiseOfAnswers(right: readonly string[], std: number | null): number {
  const [shares, seeds] = [sharesOf(right), right.length];
  if (!shares || std === null || seeds < 2 || shares.length < 2) return 0;
  const all = shares.reduce((sum, share) => sum + share * (1 - share), 0) / shares.length;
  const single = ((all * seeds) / (seeds - 1) - std ** 2) / (1 - 1 / shares.length);
  return Math.min(Math.max(0, single), shares.length * std ** 2);
}

/** Of every question the share of seeds that answered it rightly. */
function sharesOf(seeds: readonly string[]): number[] | null {
  const all = seeds.map(unpackRight);
  const first = all[0];
  if (!first || !all.every(one => one?.length === first.length)) return null;
  return first.map((_, place) => all.filter(one => one![place]).length / all.length);
}
