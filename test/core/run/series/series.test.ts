import {describe, expect, it} from 'vitest';
import {
  append,
  bucketLimit,
  coarsen,
  emptySeries,
  type Series,
  tailMean,
  upTo,
} from '../../../../core/run/series/series.ts';

function seriesOf(values: number[], limit?: number): Series {
  return values.reduce((series, value, k) => append(series, k + 1, value, limit), emptySeries);
}

describe('a series', () => {
  const values = Array.from({length: 1000}, (_, k) => Math.sin(k / 7) + (k === 613 ? 50 : 0));

  it('keeps every point of a short curve as it was', () => {
    const series = seriesOf(values.slice(0, 100));
    expect(series.stride).toBe(1);
    expect(series.means).toEqual(values.slice(0, 100));
    expect(series.steps).toEqual(Array.from({length: 100}, (_, k) => k + 1));
  });

  it('stays within its limit however long the curve is', () => {
    expect(seriesOf(values, 64).steps.length).toBeLessThanOrEqual(64);
    expect(seriesOf(values).steps.length).toBeLessThanOrEqual(bucketLimit);
  });

  it('loses no extreme and no mean', () => {
    const series = seriesOf(values, 64);
    expect(Math.max(...series.maxima)).toBe(Math.max(...values));
    expect(Math.min(...series.minima)).toBe(Math.min(...values));
    const sum = series.means.reduce((total, mean, k) => total + mean * series.counts[k]!, 0);
    expect(sum).toBeCloseTo(
      values.reduce((a, b) => a + b),
      8,
    );
  });

  it('comes out the same point by point and all at once', () => {
    const stepwise = seriesOf(values, 50);
    const atOnce = coarsen(seriesOf(values, 1000), 50);
    expect(stepwise.steps).toEqual(atOnce.steps);
    expect(stepwise.counts).toEqual(atOnce.counts);
    expect(stepwise.maxima).toEqual(atOnce.maxima);
    stepwise.means.forEach((mean, k) => {
      expect(mean).toBeCloseTo(atOnce.means[k]!, 10);
    });
  });

  it('leaves the series it was made from as it was', () => {
    const before = seriesOf([1, 2, 3]);
    append(before, 4, 4);
    expect(before.means).toEqual([1, 2, 3]);
  });

  it('can be cut at a step and averaged over its end', () => {
    const series = seriesOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(upTo(series, 4).means).toEqual([1, 2, 3, 4]);
    expect(tailMean(series, 0.2)).toBe(9.5);
    expect(tailMean(emptySeries, 0.2)).toBeNull();
  });
});
