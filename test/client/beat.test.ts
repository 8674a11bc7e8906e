import {setTimeout as sleep} from 'node:timers/promises';
import {expect, it} from 'vitest';
import {Beat} from '../../client/run/beat.ts';

it('tells once of all that changed since the last beat, the first time at once', async () => {
  const told: string[][] = [];
  const beat = new Beat<string>(changed => told.push([...changed].sort()));
  beat.changed('a');
  await expect.poll(() => told.length).toBe(1);
  expect(told).toEqual([['a']]);
  for (const one of ['b', 'a', 'b']) beat.changed(one);
  await sleep(0);
  expect(told).toHaveLength(1);
  await expect.poll(() => told.length).toBe(2);
  expect(told[1]).toEqual(['a', 'b']);
  beat.changed('c');
  beat.dispose();
  await sleep(600);
  expect(told).toHaveLength(2);
});
