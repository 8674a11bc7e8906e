/** What a dataset is like: lengths of its rows, and how much of it is learnt. */
import type {Dataset} from './dataset.ts';
import {ignored} from './token-row.ts';

export interface DataStatistics {
  /** Rows that are trained on; blocks where text is packed. */
  rows: number;
  /** Of those rows, without padding. */
  tokens: number;
  /** Tokens that carry loss, and their share of all. */
  target_tokens: number;
  target_share: number;
  /** Rows that were cut at max_length, and their share of all rows read. */
  truncated: number;
  truncated_share: number;
  /** Rows without a token to learn. */
  left_out: number;
  /** Of the rows, in tokens. */
  lengths: {shortest: number; median: number; mean: number; longest: number};
  /** Rows by length: those of more than the last bucket's and at most `up_to` tokens. */
  histogram: {up_to: number; rows: number}[];
}

/** Buckets of a histogram, about. */
const buckets = 12;
/** Widths that read well. */
const widths = [1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000, 1024, 2048, 4096, 8192];

export function statisticsOf({count, starts, labels, truncated, empty}: Dataset): DataStatistics {
  const lengths = Int32Array.from({length: count}, (_, row) => starts[row + 1]! - starts[row]!).sort();
  const tokens = starts[count]!;
  let targets = 0;
  for (let row = 0; row < count; row++)
    for (let t = starts[row]! + 1; t < starts[row + 1]!; t++) if (labels[t] !== ignored) targets++;
  const longest = lengths.at(-1)!;
  const width = widths.find(candidate => candidate * buckets >= longest) ?? Math.ceil(longest / buckets);
  const histogram = Array.from({length: Math.ceil(longest / width)}, (_, i) => ({up_to: (i + 1) * width, rows: 0}));
  for (const length of lengths) histogram[Math.ceil(length / width) - 1]!.rows++;
  return {
    rows: count,
    tokens,
    target_tokens: targets,
    target_share: targets / tokens,
    truncated,
    truncated_share: truncated / (count + empty),
    left_out: empty,
    lengths: {shortest: lengths[0]!, median: lengths[count >> 1]!, mean: tokens / count, longest},
    histogram,
  };
}
