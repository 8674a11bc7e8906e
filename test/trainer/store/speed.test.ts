import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {rememberSpeed, speedNear} from '../../../trainer/store/speed.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'speed-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

it('the speed of a tiny training says nothing of a large one', () => {
  rememberSpeed({stepFlops: 1e9, flopsPerSecond: 2e9}, folder);
  expect(speedNear(1e9, folder)).toBe(2e9);
  expect(speedNear(7e9, folder)).toBe(2e9);
  expect(speedNear(1e12, folder)).toBeNull();
  expect(speedNear(1e7, folder)).toBeNull();
});

it('of several measured ones the nearest counts, and of like ones the last', () => {
  rememberSpeed({stepFlops: 1e10, flopsPerSecond: 1e11}, folder);
  rememberSpeed({stepFlops: 5e10, flopsPerSecond: 2e11}, folder);
  expect(speedNear(1.5e10, folder)).toBe(1e11);
  expect(speedNear(4e10, folder)).toBe(2e11);
  rememberSpeed({stepFlops: 1.2e10, flopsPerSecond: 3e11}, folder);
  expect(speedNear(1e10, folder)).toBe(3e11);
  expect(speedNear(4e10, folder)).toBe(2e11);
});

it.each(['', '{', '[1]', 'null', '{"flopsPerSecond": 3e9}', '{"speeds": [{"stepFlops": "a"}, null, 3]}'])(
  'a cache that holds %s knows no speed, and can be written again',
  text => {
    writeFileSync(join(folder, 'speed.json'), text);
    expect(speedNear(1e9, folder)).toBeNull();
    rememberSpeed({stepFlops: 1e9, flopsPerSecond: 2e9}, folder);
    expect(speedNear(1e9, folder)).toBe(2e9);
  },
);
