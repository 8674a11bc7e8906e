/** How much generation does at a time: sequences, tokens read, room of their caches. */
import type {ModelConfig} from '../model/config.ts';

/** Sequences decoded side by side, over all trials. */
const sequencesAtOnce = 64;
/** What their caches may grow to. */
const cacheBytes = 2 ** 31;
/** Tokens read at once. */
const tokensAtOnce = 1024;

/** Fewer sequences than this take as long as so many: the weights are read once for all. With more, the time goes into multiplying. */
export const fewSequences = 8;

/** The next power of 2. */
export const powerOf2 = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, count)));

/** Lengths that texts are padded to: a computation is compiled for each, and padding is a third at most. */
export function paddedLength(length: number): number {
  const power = Math.max(16, powerOf2(length));
  return length <= (power * 3) / 4 ? (power * 3) / 4 : power;
}

/** Where fewer tokens are saved, or a beginning is shorter, it is not worth a computation of its own. */
const [fewestSaved, shortestBeginning] = [256, 16];

/** Tokens that all of these texts begin with, if they are worth being read once for all; each text has something behind them. */
export function beginningOf(texts: readonly ArrayLike<number>[]): number {
  const [first, ...others] = texts;
  if (first === undefined) return 0;
  let length = first.length - 1;
  let different = 1;
  for (const text of others) {
    length = Math.min(length, text.length - 1);
    let same = 0;
    while (same < length && text[same] === first[same]) same++;
    if (same < length || text.length !== first.length || text[length] !== first[length]) different++;
    length = same;
  }
  return length >= shortestBeginning && length * (different - 1) >= fewestSaved ? length : 0;
}

/** Texts of a padded length that are read at once, for each of `trials`. */
export function textsAtOnce(length: number, trials: number): number {
  return Math.max(1, 2 ** Math.floor(Math.log2(tokensAtOnce / length / trials)));
}

/** Numbers of keys and values for each position of a sequence. */
export function cachedPerPosition({layers, kvHeads, headDim}: ModelConfig): number {
  return 2 * layers.length * kvHeads * headDim;
}

/** Sequences of each trial that grow side by side: `sequences` there are, of `longest` tokens at most. */
export function seatsFor(config: ModelConfig, sequences: number, longest: number, trials: number): number {
  const bytes = 4 * cachedPerPosition(config) * longest;
  const most = Math.min(sequencesAtOnce, Math.floor(cacheBytes / bytes)) / trials;
  return Math.min(powerOf2(sequences), 2 ** Math.floor(Math.log2(Math.max(1, most))));
}
