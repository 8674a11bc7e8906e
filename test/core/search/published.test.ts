import {describe, expect, it} from 'vitest';
import {random} from '../../../trainer/math/random.ts';
import {average, publishedCurves, widened} from '../../bench/worlds/search-curves.ts';
import {drawn, halving} from '../../bench/worlds/search-play.ts';

describe('a search on published curves with redrawn seeds', () => {
  it.each([
    [12, 0.14],
    [16, 0.11],
  ])('of %d rates trains less than %d of the steps, and finds rates within 0.5 points of the best', (rates, most) => {
    const played = publishedCurves().flatMap((curve, at) =>
      Array.from({length: 20}, (_, k) => {
        const stream = random('published', at, k);
        const wide = widened(curve, rates);
        const draws = drawn(wide, 3, stream.normal(rates * 3));
        return halving(wide, draws, {scan: 0.7 * stream.normal(1)[0]!});
      }),
    );
    const regrets = played.map(({regret}) => 100 * regret);
    expect(played).toHaveLength(400);
    expect(average(played.map(({share}) => share))).toBeLessThan(most);
    expect(average(regrets)).toBeLessThan(0.25);
    expect(regrets.filter(regret => regret < 0.5 + 1e-9).length / regrets.length).toBeGreaterThan(0.9);
  });
});
