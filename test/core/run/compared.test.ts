/** What a comparison costs whoever shows it: it is computed between two strokes of a key. */
import {expect, it, vi} from 'vitest';
import {compare} from '../../../core/run/verdict.ts';
import {richRun} from '../figure/rich-run.ts';

const state = richRun({ranks: [8], batchSizes: [16], decays: ['0'], rates: [1e-5, 1e-4, 1e-3]});

it('a first comparison of 27 methods by two metrics takes few evaluations of the normal distribution', () => {
  const exponentials = vi.spyOn(Math, 'exp');
  expect(compare(state)).toHaveLength(2);
  // Of 100 million a second and core: some milliseconds.
  expect(exponentials.mock.calls.length).toBeLessThan(250_000);
  exponentials.mockRestore();
});

it('a state is compared once, however often it is asked for', () => {
  expect(compare(state)).toBe(compare(state));
  expect(compare({...state})).toEqual(compare(state));
});
