/** What a search saw in its scan. */
import {describe, expect, it} from 'vitest';
import {scansOf} from '../../../../core/run/compare/scan.ts';
import type {RunEventBody} from '../../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../../core/run/fold.ts';
import type {Trial} from '../../../../core/sweep/sweep.ts';

const trial = (rate: number, seed = 1): Trial => ({
  ...{id: `lr${rate}-s${seed}`, method: 'lora', rank: 8, alpha: 8, batchSize: 16, learningRate: rate, seed},
});
const rates = [4e-4, 1e-4, 2e-4, 8e-4];
const start = {
  ...{event: 'run-started', name: 'searched', engine: 'compiled', reason: '', workers: 1, resumed: false},
  trials: rates.flatMap(rate => [trial(rate, 1), trial(rate, 2)]),
  steps: {16: 100},
} as const satisfies Partial<RunEventBody>;
const ended = (rate: number, steps: number, state: 'paused' | 'finished' | 'diverged', tail: number | null, seed = 1) =>
  ({event: 'trial-ended', trial: trial(rate, seed).id, state, steps, seconds: 1, tail}) as const;

const stateAfter = (bodies: RunEventBody[], search: boolean) =>
  foldAll(
    emptyRun,
    [{...start, ...(search && {search: {strategy: 'halving', scan: 0.12} as const})}, ...bodies].map((body, at) => ({
      ...body,
      at,
    })),
  );

const bodies: RunEventBody[] = [
  ended(1e-4, 12, 'paused', 2),
  ended(2e-4, 12, 'paused', 1.5),
  ended(4e-4, 12, 'paused', 1.2),
  {event: 'trial-started', trial: trial(4e-4).id, steps: 100, worker: 0, from: 12},
  ended(4e-4, 100, 'finished', 0.3),
  ended(4e-4, 100, 'finished', 0.2, 2),
  ended(8e-4, 5, 'diverged', null),
];

describe('the scan', () => {
  it('gives each rate the loss of the prefix, also where training went on, and none where it diverged', () => {
    expect(scansOf(stateAfter(bodies, true))).toEqual([
      {
        title: 'rank 8, batch size 16',
        steps: 12,
        methods: [
          {
            method: 'lora',
            points: [
              {learningRate: 1e-4, loss: 2},
              {learningRate: 2e-4, loss: 1.5},
              {learningRate: 4e-4, loss: 1.2},
              {learningRate: 8e-4, loss: null},
            ],
          },
        ],
      },
    ]);
  });

  it('is nothing of a grid, and nothing before a rate was scanned', () => {
    expect(scansOf(stateAfter(bodies, false))).toEqual([]);
    expect(scansOf(stateAfter([], true))).toEqual([]);
  });
});
