import {expect, it} from 'vitest';
import {SignsOfLife} from '../../client/run/signs-of-life.ts';

const seconds = (number: number) => number * 1000;

it('without a lock nobody works on a run, whatever its events do', () => {
  const signs = new SignsOfLife();
  signs.locked(null, 0);
  signs.grew(seconds(1));
  expect(signs.isAlive(seconds(1))).toBe(false);
});

it('a lock alone is given the time of two beats', () => {
  const signs = new SignsOfLife();
  for (const second of [0, 10, 20, 30]) signs.locked(1, seconds(second));
  expect([5, 24, 26].map(second => signs.isAlive(seconds(second)))).toEqual([true, true, false]);
});

it('growth and beats keep a run alive, silence of a minute ends it, and so does the end of its lock', () => {
  const signs = new SignsOfLife();
  signs.locked(1, 0);
  signs.grew(seconds(2));
  expect(signs.isAlive(seconds(61))).toBe(true);
  signs.locked(2, seconds(61));
  expect([120, 122].map(second => signs.isAlive(seconds(second)))).toEqual([true, false]);
  signs.grew(seconds(130));
  expect(signs.isAlive(seconds(131))).toBe(true);
  signs.locked(null, seconds(132));
  expect(signs.isAlive(seconds(132))).toBe(false);
});
