import {describe, expect, it} from 'vitest';
import {budgetInWords, budgetOf} from '../../../core/run/budget.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

const trial = (rate: number, seed: number): Trial => ({
  ...{id: `lora-r8-b4-lr${rate}-s${seed}`, method: 'lora', rank: 8, alpha: 8, batchSize: 4, learningRate: rate, seed},
});
const rates = [1e-4, 2e-4, 5e-4, 1e-3];
const trials = rates.flatMap(rate => [1, 2].map(seed => trial(rate, seed)));

function run(search: boolean, ...bodies: RunEventBody[]) {
  const started: RunEventBody = {
    ...{event: 'run-started', name: 'x', trials, engine: 'cpu', reason: '', workers: 1, resumed: false},
    steps: {4: 100},
    ...(search && {search: {strategy: 'halving', scan: 0.1}}),
  };
  return foldAll(
    emptyRun,
    [started, ...bodies].map((body, at) => ({...body, at})),
  );
}

const trained = ({id}: Trial, steps: number, state: 'paused' | 'finished' | 'diverged', from = 0): RunEventBody[] => [
  {event: 'trial-started', trial: id, steps: 100, worker: 0, from},
  ...Array.from({length: steps}, (_, step) => ({
    ...{event: 'step' as const, trials: [id], step: step + 1, losses: [1], rates: [1e-3], gradNorms: [1]},
  })),
  {event: 'trial-ended', trial: id, state, steps, tail: state === 'diverged' ? null : 1, seconds: 1},
];

describe('the budget of a search', () => {
  it('calls no rate trained whole whose training diverged in the scan', () => {
    const state = run(true, ...trained(trial(5e-4, 1), 10, 'paused'), ...trained(trial(1e-3, 1), 4, 'diverged'));
    expect(budgetOf(state)).toMatchObject({steps: 14, scanned: 2, whole: 0, untouched: 6});
  });

  it('is none without a search', () => {
    expect(budgetOf(run(false))).toBeNull();
  });

  it('counts what was scanned, trained whole, repeated and left', () => {
    const added = trial(5e-4, 3);
    const state = run(
      true,
      ...rates.flatMap(rate => trained(trial(rate, 1), 10, 'paused')),
      ...trained(trial(5e-4, 1), 100, 'finished'),
      ...trained(trial(1e-3, 1), 40, 'diverged', 10),
      ...trained(trial(5e-4, 2), 100, 'finished'),
      {event: 'trials-added', trials: [added]},
      ...trained(added, 100, 'finished'),
    );
    const budget = budgetOf(state)!;
    expect(budget).toEqual({
      ...{steps: 360, gridSteps: 800, trials: 8, untouched: 3},
      ...{scanned: 4, whole: 2, seeds: 2},
    });
    expect(budgetInWords(budget)).toBe(
      '45.0 % of the grid’s steps: 4 rates scanned, 2 of them trained whole, 2 more with further seeds; 3 of 8 trials were not trained.',
    );
  });
});
