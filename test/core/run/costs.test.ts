import {describe, expect, it} from 'vitest';
import {methodCost} from '../../../core/method/cost.ts';
import type {MethodName} from '../../../core/method/methods.ts';
import {measuredCostRows, stepTimes} from '../../../core/run/costs.ts';
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
    const rows = measuredCostRows(state.costs, stepTimes(state));
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
    expect(measuredCostRows(state.costs, stepTimes(state))[0]!.at(-1)).toBe('b16: 10 ms, b64: 40 ms');
  });

  it('says nothing of trials that hardly began', () => {
    expect(stepTimes(foldAll(emptyRun, runOf([[trial('lora', 1), 10]], 2)))).toEqual([]);
  });
});
