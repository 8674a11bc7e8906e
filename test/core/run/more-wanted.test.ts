import {expect, it} from 'vitest';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import {allSeedWishes} from '../../../core/run/more-wanted.ts';
import {readSeedWish, writeSeedWish} from '../../../core/search/comparing/more-seeds.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

const methods = ['lora', 'pissa', 'dora'] as const;
const values = {lora: [0.9, 0.91], pissa: [0.91, 0.9], dora: [0.5, 0.51]};
const trials = methods.flatMap(method =>
  [1, 2].map((seed): Trial => {
    const at = {method, rank: 8, alpha: 8, batchSize: 16, learningRate: 1e-3, seed};
    return {...at, id: `${method}-r8-b16-lr1.00e-3-s${seed}`};
  }),
);
const start = {event: 'run-started', name: 'g', trials, engine: 'cpu', reason: '', workers: 1, resumed: false} as const;
const ended = trials.flatMap(({id, method, seed}) => [
  {
    ...({event: 'evaluation', trial: id, step: 9, task: 'exact-match', metric: 'accuracy'} as const),
    ...{index: 0, value: values[method as 'lora'][seed - 1]!, correct: null, total: 100},
  },
  {event: 'trial-ended', trial: id, state: 'finished', steps: 9, seconds: 1} as const,
]);
const state = foldAll(
  emptyRun,
  [{...start, steps: {16: 9}}, ...ended].map(body => ({...body, at: 0})),
);

it('more seeds are offered to the methods without a word, and to no other', () => {
  const wishes = allSeedWishes(state);
  expect(wishes.map(({method}) => method)).toEqual(['pissa']);
  expect(wishes[0]!.seeds).toBeGreaterThan(0);
  // While trials wait nobody knows what is missing.
  expect(allSeedWishes(foldAll(emptyRun, [{...start, steps: {16: 9}, at: 0}]))).toEqual([]);
});

it('a wish is a number, or a method and its number', () => {
  for (const text of ['4', 'pissa=12']) expect(writeSeedWish(readSeedWish(text)!)).toBe(text);
  for (const text of ['', '0', '-1', '1.5', 'pissa', 'pissa=', '=4', '1001', 'a=b=1'])
    expect(readSeedWish(text)).toBeUndefined();
});
