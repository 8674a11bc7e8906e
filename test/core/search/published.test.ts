import {describe, expect, it} from 'vitest';
import {random} from '../../../trainer/math/random.ts';
import {average, publishedCurves, widened} from '../../bench/worlds/search-curves.ts';
import {drawn, halving} from '../../bench/worlds/search-play.ts';
import {playGroup, playRecorded, tunedWorlds} from '../../bench/worlds/tuned-worlds.ts';

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

describe('a search over a further tuned axis, each of whose values has a curve of its own', () => {
  it.each(tunedWorlds())(
    '%s: trains less than 11.5 %% of the steps, and loses little more than the whole grid',
    (name, groups) => {
      const play = (way: 'grid' | 'search') =>
        groups.flatMap((curves, at) => Array.from({length: 20}, (_, k) => playGroup(curves, way, name, at, k)));
      const [grid, found] = [play('grid'), play('search')];
      const points = (played: typeof found) => 100 * average(played.map(({regret}) => regret));
      expect(average(found.map(({share}) => share))).toBeLessThan(0.115);
      expect(points(found)).toBeLessThan(points(grid) + 0.25);
    },
  );

  it('finds the best of three alphas on a grid that was trained whole', () => {
    const found = playRecorded('search');
    expect(found).toHaveLength(3);
    for (const {share, regret} of found) {
      expect(share).toBeLessThan(0.2);
      expect(regret).toBeLessThan(0.005);
    }
  });
});
