import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {addressOf} from '../../../core/method/method.ts';
import {methods} from '../../../core/method/methods.ts';
import {fieldAt} from '../../../core/sweep/table/fields.ts';

interface Peak {
  model: string;
  metric: string;
  rank: number;
  batch: number;
  method: string;
  peak_lr: number;
  lrs_within_90pct_of_peak: number[];
}

const {peaks}: {peaks: Peak[]} = JSON.parse(
  readFileSync(new URL('../../fixtures/expected.json', import.meta.url), 'utf8'),
);

describe('the rows of the methods', () => {
  it('are the methods of the sweep language', () => {
    for (const [name, row] of Object.entries(methods)) {
      expect(fieldAt(['methods', name])).toBeDefined();
      expect(addressOf(row.paper)).toMatch(
        /^https:\/\/(arxiv\.org\/abs\/\d{4}\.\d{5}$|openreview\.net\/forum\?id=\w+$|datta0\.github\.io\/)/,
      );
    }
  });

  it('give the best and the good learning rates that the published results have', () => {
    const published = peaks.filter(({metric}) => metric === 'mean_gsm8k_math');
    for (const [name, {knownRates}] of Object.entries(methods)) {
      const mine = published.filter(({method}) => method.toLowerCase() === name.replace('-', ''));
      const rows = mine.map(({model, rank, batch, peak_lr, lrs_within_90pct_of_peak: good}) => ({
        model,
        rank,
        batchSize: batch,
        best: peak_lr,
        good: {from: Math.min(...good), to: Math.max(...good)},
      }));
      expect(knownRates.map(({source: _, ...rest}) => rest)).toEqual(rows);
    }
  });
});
