import {expect, it} from 'vitest';
import {bestOf} from '../../../core/run/best-seed.ts';
import {emptyRun} from '../../../core/run/fold.ts';
import {readTuned, type Tuned} from '../../../core/run/tuned.ts';

const tuned: Tuned = {
  ...{method: 'lora', rate: 1e-3, place: [1e-3, 3e-3], mean: 0.5, std: null, seeds: 1},
  ...{trial: 'lora-s1', exported: '/out', steps: 10, gridSteps: 100, words: 'The best rate of lora is 1e-3.'},
};

it('what was found is read from a message, and nothing else is taken for it', () => {
  expect(readTuned({tuned})).toEqual(tuned);
  for (const message of [null, 'tuned', {}, {event: 'prepared'}, {tuned: null}, {tuned: {...tuned, exported: 3}}])
    expect(readTuned(message)).toBeUndefined();
});

it('of a run without a whole trial nothing is the best', () => {
  expect(bestOf(emptyRun, {task: 'loss', metrics: ['loss']})).toBeNull();
});
