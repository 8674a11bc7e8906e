import {describe, expect, it} from 'vitest';
import {append, coarsen, emptySeries} from '../../../../core/run/series/series.ts';
import {smoothed} from '../../../../core/run/series/smooth.ts';

const seriesOf = (values: number[]) =>
  values.reduce((series, value, k) => append(series, k + 1, value, 10_000), emptySeries);

describe('a smoothed curve', () => {
  it('is as it was without smoothing', () => {
    expect(smoothed(seriesOf([3, 1, 2]), 0)).toEqual([3, 1, 2]);
  });

  it('is the weighted mean of all points so far, the older the lighter', () => {
    const values = [5, 1, 4, 4, 2];
    const weight = 0.6;
    const direct = values.map((_, last) => {
      const weights = values.slice(0, last + 1).map((_, k) => weight ** (last - k));
      const total = weights.reduce((a, b) => a + b);
      return weights.reduce((sum, own, k) => sum + own * values[k]!, 0) / total;
    });
    smoothed(seriesOf(values), weight).forEach((value, k) => {
      expect(value).toBeCloseTo(direct[k]!, 12);
    });
  });

  it('of a constant is that constant from its first point on', () => {
    for (const value of smoothed(seriesOf(Array(50).fill(0.7)), 0.99)) expect(value).toBeCloseTo(0.7, 12);
  });

  it('is much the same where neighbouring points share a bucket', () => {
    const series = seriesOf(Array.from({length: 1024}, (_, k) => Math.exp(-k / 300) + 0.1 * Math.sin(k)));
    const coarse = coarsen(series, 256);
    const fine = smoothed(series, 0.98);
    smoothed(coarse, 0.98).forEach((value, k) => {
      expect(Math.abs(value - fine[coarse.steps[k]! - 1]!)).toBeLessThan(0.02);
    });
  });
});
