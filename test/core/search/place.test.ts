import {describe, expect, it} from 'vitest';
import {placeOf} from '../../../core/search/place.ts';

const rates = Array.from({length: 9}, (_, k) => 1e-4 * 10 ** (k / 4));
const lossesAt = (vertex: number) => rates.map((_, k) => Math.exp(0.1 * (k - vertex) ** 2));
/** Of a rate, as a place in the grid. */
const gridPlace = (rate: number | null) => 4 * Math.log10(rate! / 1e-4);

describe('the place of the best rate', () => {
  it('is the lowest point of the parabola in log(loss) over log(rate)', () => {
    for (const vertex of [1.6, 4, 4.3, 6.9])
      expect(gridPlace(placeOf(rates, lossesAt(vertex), 1))).toBeCloseTo(vertex, 9);
  });

  it('is that on uneven lists too', () => {
    const uneven = [1e-4, 2e-4, 1e-3, 3e-3, 2e-2];
    const losses = uneven.map(rate => Math.exp((Math.log10(rate) + 2.7) ** 2));
    expect(Math.log10(placeOf(uneven, losses, 1)!)).toBeCloseTo(-2.7, 9);
  });

  it('moves down by 0.32 decades for ten times the steps', () => {
    expect(gridPlace(placeOf(rates, lossesAt(5), 0.1))).toBeCloseTo(5 - 4 * 0.32, 9);
  });

  it('stays within three quarters of the way to a neighbour, and within the grid', () => {
    const losses = rates.map((_, k) => (k === 4 ? 1 : k === 5 ? 1.0001 : 100));
    expect(gridPlace(placeOf(rates, losses, 1))).toBeCloseTo(4.498, 2);
    const steep = rates.map((_, k) => (k < 3 ? 50 - k : 1 + (k - 3) * 1e-7));
    expect(gridPlace(placeOf(rates, steep, 1))).toBeCloseTo(3.5, 3);
    expect(placeOf(rates, lossesAt(0), 1e-3)).toBe(rates[0]);
  });

  it('is the lowest rate itself beside one that diverged or at an end, the higher one of two alike', () => {
    const {POSITIVE_INFINITY: gone} = Number;
    expect(gridPlace(placeOf(rates, [3, 2, 1, gone, gone, gone, gone, gone, gone], 1))).toBeCloseTo(2, 9);
    expect(gridPlace(placeOf(rates, [9, 8, 7, 6, 5, 4, 3, 2, 1], 1))).toBeCloseTo(8, 9);
    expect(gridPlace(placeOf(rates, [9, 8, 7, 1, 1, gone, 8, 9, 9], 1))).toBeCloseTo(4, 9);
  });

  it('is none where every rate diverged', () => {
    expect(
      placeOf(
        rates,
        rates.map(() => Number.POSITIVE_INFINITY),
        1 / 16,
      ),
    ).toBeNull();
  });
});
