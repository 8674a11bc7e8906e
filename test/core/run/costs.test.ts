import {describe, expect, it} from 'vitest';
import {methodCost} from '../../../core/method/cost.ts';
import type {MethodName} from '../../../core/method/methods.ts';
import {measuredCosts, parametersIn, stepTimes} from '../../../core/run/costs.ts';
import type {RunEvent} from '../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

const shape = {adapted: [{inputs: 64, outputs: 32}], others: [{inputs: 64, outputs: 100}], everything: 10_000};
const costs = (['lora', 'dora', 'pissa'] as const).map(method => methodCost({method, rank: 8}, shape, 512));

const trial = (method: MethodName, seed: number, batchSize = 16): Trial => ({
  id: `${method}-r8-b${batchSize}-lr1.00e-3-s${seed}`,
  method,
  rank: 8,
  alpha: 8,
  batchSize,
  learningRate: 1e-3,
  seed,
});

/** A run of trials one after another, the first two steps of each slow, the others `milliseconds` each. */
function runOf(trials: [Trial, milliseconds: number][], steps = 12): RunEvent[] {
  let at = 0;
  const events: RunEvent[] = [
    {
      event: 'run-started',
      name: 'costs',
      trials: trials.map(([own]) => own),
      engine: 'compiled',
      reason: '',
      workers: 1,
      resumed: false,
      steps: {16: steps, 64: steps},
      costs,
      at,
    },
  ];
  for (const [{id}, milliseconds] of trials) {
    events.push({event: 'trial-started', trial: id, steps, worker: 0, at});
    for (let step = 1; step <= steps; step++) {
      at += step <= 2 ? 900 : milliseconds;
      events.push({event: 'step', trials: [id], step, losses: [1], rates: [1e-3], gradNorms: [1], at});
    }
    events.push({event: 'trial-ended', trial: id, state: 'finished', steps, seconds: 1, at});
  }
  return events;
}

describe('the cost of a run', () => {
  it('takes the median over trials for the time of a step, the slow first ones left out', () => {
    const state = foldAll(
      emptyRun,
      runOf([
        [trial('lora', 1), 10],
        [trial('lora', 2), 12],
        [trial('lora', 3), 90],
        [trial('dora', 1), 18],
      ]),
    );
    expect(stepTimes(state)).toEqual([
      {method: 'lora', rank: 8, batchSize: 16, seconds: 0.012},
      {method: 'dora', rank: 8, batchSize: 16, seconds: 0.018},
    ]);
  });

  it("stands beside what was counted, relative to LoRA's, with a dash where nothing ran", () => {
    const state = foldAll(
      emptyRun,
      runOf([
        [trial('lora', 1), 10],
        [trial('dora', 1), 15],
      ]),
    );
    const {rows} = measuredCosts(state.costs, stepTimes(state));
    expect(rows.map(row => [row[0], row.at(-1)])).toEqual([
      ['lora', '10 ms'],
      ['dora', '15 ms (1.50 ×)'],
      ['pissa', '–'],
    ]);
    expect(rows[1]![2]).toBe((8 * 96 + 32).toLocaleString('en-US'));
  });

  it('tells batch sizes apart', () => {
    const state = foldAll(
      emptyRun,
      runOf([
        [trial('lora', 1), 10],
        [trial('lora', 1, 64), 40],
      ]),
    );
    expect(measuredCosts(state.costs, stepTimes(state)).rows[0]!.at(-1)).toBe('b16: 10 ms, b64: 40 ms');
  });

  it('tells models and targets apart, and measures a method by LoRA on the same ones', () => {
    const on = (one: Trial, model: string, targets: string): Trial => ({
      ...one,
      id: `${one.id}-${model}-${targets}`,
      model,
      settings: {targets},
    });
    const run = runOf([
      [on(trial('lora', 1), 'small', 'all'), 10],
      [on(trial('dora', 1), 'small', 'all'), 15],
      [on(trial('lora', 1), 'large', 'attention'), 100],
      [on(trial('dora', 1), 'large', 'attention'), 120],
    ]);
    const cost = (k: number, model: string, targets: string, parameters: number) => ({
      ...costs[k]!,
      ...{model, targets, parameters},
    });
    const several = [
      ...[cost(0, 'small', 'all', 100), cost(1, 'small', 'all', 110)],
      ...[cost(0, 'large', 'attention', 700), cost(1, 'large', 'attention', 770)],
    ];
    const state = foldAll(
      emptyRun,
      run.map(event => (event.event === 'run-started' ? {...event, costs: several} : event)),
    );
    const {columns, rows} = measuredCosts(state.costs, stepTimes(state));
    expect(columns.slice(0, 5).map(({title}) => title)).toEqual([
      ...['method', 'model', 'targets', 'rank', 'trained parameters'],
    ]);
    expect(rows.map(row => [...row.slice(0, 5), row.at(-1)].join(' | '))).toEqual([
      'lora | small | all | 8 | 100 | 10 ms',
      'dora | small | all | 8 | 110 | 15 ms (1.50 ×)',
      'lora | large | attention | 8 | 700 | 100 ms',
      'dora | large | attention | 8 | 770 | 120 ms (1.20 ×)',
    ]);
    expect(state.trials.map(({trial: one}) => parametersIn(state)(one))).toEqual([100, 110, 700, 770]);
    expect(parametersIn(state)(trial('lora', 1)), 'of what it does not know it says nothing').toBeNull();
  });

  it('says nothing of trials that hardly began', () => {
    expect(stepTimes(foldAll(emptyRun, runOf([[trial('lora', 1), 10]], 2)))).toEqual([]);
  });
});
