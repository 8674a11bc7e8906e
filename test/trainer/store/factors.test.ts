import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {random} from '../../../trainer/math/random.ts';
import {topTriplets} from '../../../trainer/math/svd.ts';
import {cachedTriplets} from '../../../trainer/store/factors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const weight = random('weight').uniform(48, -1, 1);
const key = {weight, rows: 8, cols: 6, end: 'top' as const, rank: 2};
let computed = 0;
const compute = () => {
  computed++;
  return topTriplets(weight, 8, 6, 2);
};

it('the second time comes from the cache, with the same numbers', async () => {
  const first = await cachedTriplets(key, compute, folder);
  const second = await cachedTriplets(key, compute, folder);
  expect([first.source, second.source, computed]).toEqual(['computed', 'cache', 1]);
  expect(second.triplets).toEqual(first.triplets);
});

it('other weights, ranks and ends have entries of their own', async () => {
  const before = computed;
  await cachedTriplets({...key, rank: 3}, () => topTriplets(weight, 8, 6, 3), folder);
  await cachedTriplets({...key, weight: weight.map(value => value + 1)}, compute, folder);
  expect(computed).toBe(before + 1);
});

it('a damaged file is computed again and replaced', async () => {
  const own = join(folder, 'damaged');
  await cachedTriplets(key, compute, own);
  const [name] = readdirSync(join(own, 'factors'));
  writeFileSync(join(own, 'factors', name!), 'not a tensor');
  expect((await cachedTriplets(key, compute, own)).source).toBe('computed');
  expect((await cachedTriplets(key, compute, own)).source).toBe('cache');
});

it('a cache that cannot be written costs a note, not the run', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const {note, triplets} = await cachedTriplets(key, compute, file);
  expect(note).toContain(file);
  expect(triplets.S).toHaveLength(2);
});
