/** Searches of grids that were trained whole: what they would have trained, and what they would have found. */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {mean} from '../../../core/numbers.ts';
import {searchLive} from '../../bench/worlds/live-search.ts';
import type {Recording} from '../../bench/worlds/recording.ts';

const read = (name: string): Recording =>
  JSON.parse(readFileSync(new URL(`../../fixtures/searches/${name}.json`, import.meta.url), 'utf8'));

describe.each([
  ['demo', 0.17],
  // Of three methods, two whose seeds scatter at every rate that learns the task: more rates get seeds.
  ['revnext', 0.27],
  ['stories260K', 0.24],
])('searches of the grid of %s, nine rates and three of its seeds each', (name, share) => {
  const recording = read(name);
  const found = recording.cells[0]!.seeds.flatMap((_, first) => searchLive(recording, first));

  it(`train less than ${100 * share} % of the steps on average, and lose less than a point`, () => {
    expect(found).toHaveLength(5 * recording.cells.length);
    expect(mean(found.map(one => one.share))).toBeLessThan(share);
    const regrets = found.map(({regret}) => regret);
    expect(mean(regrets)).toBeLessThan(1);
    expect(Math.max(...regrets)).toBeLessThan(4);
  });
});

it('rates of a rough task that train for one seed and not for another are named', () => {
  const recording = read('revnext');
  const said = recording.cells[0]!.seeds.flatMap((_, first) =>
    searchLive(recording, first).flatMap(({unstable}) => unstable),
  );
  expect(said).toContainEqual('unstable at 3.56e-3 (100.0 %, 99.2 %, 33.2 %)');
});
