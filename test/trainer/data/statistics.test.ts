import {describe, expect, it} from 'vitest';
import {statisticsOf} from '../../../trainer/data/statistics.ts';
import {ignored} from '../../../trainer/data/token-row.ts';

/** Rows of these lengths, of which all but the first `asked` tokens are learnt. */
function dataset(lengths: number[], asked: number) {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  const labels = lengths.flatMap(length => Array.from({length}, (_, t) => (t < asked ? ignored : 7)));
  const ids = labels.map(() => 7);
  return {
    count: lengths.length,
    starts: Int32Array.from(starts),
    ids: Int32Array.from(ids),
    labels: Int32Array.from(labels),
    truncated: 1,
    empty: 2,
  };
}

describe('statistics of a data set', () => {
  it('count rows, tokens and what is learnt of them', () => {
    expect(statisticsOf(dataset([3, 9, 6], 2))).toEqual({
      rows: 3,
      tokens: 18,
      target_tokens: 12,
      target_share: 12 / 18,
      truncated: 1,
      truncated_share: 1 / 5,
      left_out: 2,
      lengths: {shortest: 3, median: 6, mean: 6, longest: 9},
      histogram: Array.from({length: 9}, (_, i) => ({up_to: i + 1, rows: [3, 6, 9].includes(i + 1) ? 1 : 0})),
    });
    // The first token of a row has nothing to be predicted from, whatever its label.
    expect(statisticsOf(dataset([3, 9, 6], 0)).target_tokens).toBe(15);
  });

  it('put every row into one of a few buckets whose ends read well', () => {
    const lengths = Array.from({length: 1000}, (_, i) => 1 + ((i * 37) % 512));
    const {histogram} = statisticsOf(dataset(lengths, 1));
    expect(histogram.map(bucket => bucket.up_to)).toEqual(Array.from({length: 11}, (_, i) => (i + 1) * 50));
    for (const [index, {up_to: end, rows}] of histogram.entries()) {
      const inside = lengths.filter(length => length <= end && length > end - 50).length;
      expect([index, rows]).toEqual([index, inside]);
    }
  });
});
