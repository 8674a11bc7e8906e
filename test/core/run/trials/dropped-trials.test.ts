import {describe, expect, it} from 'vitest';
import type {MethodName} from '../../../../core/method/methods.ts';
import {peakRows} from '../../../../core/run/compare/peak-table.ts';
import type {RunEventBody} from '../../../../core/run/events.ts';
import {emptyRun, fold, type RunState} from '../../../../core/run/fold.ts';
import {countedRun, droppedRows} from '../../../../core/run/trials/dropped-trials.ts';
import {storedTrials} from '../../../../core/run/trials/known-trials.ts';
import {verdict} from '../../../../core/run/verdict/sentences.ts';
import {compare} from '../../../../core/run/verdict.ts';
import type {Trial} from '../../../../core/sweep/sweep.ts';

const trial = (method: MethodName, learningRate: number, seed = 1): Trial => {
  const own = {method, rank: 8, alpha: 8, batchSize: 16, learningRate, seed};
  return {id: `${method}-${learningRate}-s${seed}`, ...own};
};
const start = (trials: Trial[], others?: string[]): RunEventBody => ({
  ...{event: 'run-started', name: 'x', trials, engine: 'cpu', reason: 'asked for', workers: 1, resumed: true},
  ...{steps: {'16': 10}},
  ...(others ? {others} : {}),
});
const ended = ({id}: Trial, value: number): RunEventBody[] => [
  {event: 'trial-started', trial: id, steps: 10, worker: 0},
  {event: 'evaluation', trial: id, step: 10, task: 'gsm8k', metric: 'accuracy', value, correct: null, total: 10},
  {event: 'trial-ended', trial: id, state: 'finished', steps: 10, seconds: 1},
];
const probed = ({method, rank, batchSize, seed}: Trial): RunEventBody => ({
  ...{event: 'curvature', method, rank, batchSize, seed, step: 0, layer: 0, module: 'q_proj'},
  ...{lambdaMax: 1, lambdaMin: 0, iterations: 3, residual: 0},
});
const stateAfter = (bodies: RunEventBody[], from: RunState = emptyRun) =>
  bodies.reduce((state, body, at) => fold(state, {...body, at}), from);
const droppedIn = (state: RunState) => droppedRows(state).map(([id]) => id);

const [low, high, other] = [trial('lora', 1e-3), trial('lora', 2e-3), trial('pissa', 1e-3)];
const whole = stateAfter([
  start([low, high, other], []),
  ...[low, other].map(probed),
  ...ended(low, 0.9),
  ...ended(high, 0.5),
  ...ended(other, 0.7),
]);

describe('trials that the last start no longer had', () => {
  const less = stateAfter([start([high], [])], whole);

  it('are marked, listed apart, and left out of what is compared, curvature included', () => {
    expect(droppedIn(whole)).toEqual([]);
    expect(countedRun(whole)).toBe(whole);
    expect(droppedRows(less)).toEqual([
      ['lora-0.001-s1', 'finished', 'gsm8k accuracy 90.0 %'],
      ['pissa-0.001-s1', 'finished', 'gsm8k accuracy 70.0 %'],
    ]);
    const counted = countedRun(less);
    expect(counted.trials.map(view => [view.trial.id, counted.places[view.trial.id]])).toEqual([['lora-0.002-s1', 0]]);
    // LoRA itself is still there with this rank, batch size and seed.
    expect(counted.curvature.map(({method}) => method)).toEqual(['lora']);
    const [comparison] = compare(less);
    expect(comparison?.curves.map(({peak}) => [peak?.learningRate, peak?.edge])).toEqual([[2e-3, null]]);
  });

  it('count again when they come back', () => {
    const back = stateAfter([start([low, high], [other.id])], less);
    expect(droppedIn(back)).toEqual([]);
    expect(compare(back)).toEqual(compare(whole));
  });

  it('are not those that a start leaves aside, nor known of a run of an earlier version', () => {
    expect(droppedIn(stateAfter([start([high], [low.id])], whole))).toEqual([other.id]);
    expect(droppedIn(stateAfter([start([high])], whole))).toEqual([]);
  });

  it('stay known by their ids, and nothing is while no trial has begun', () => {
    expect(storedTrials(less)).toHaveLength(3);
    expect(storedTrials(stateAfter([start([low, high], [])]))).toEqual([]);
  });
});

describe('what the sentences under a comparison say of', () => {
  const words = (state: RunState) => compare(state).flatMap(verdict).join(' ');
  const valued = (...values: [Trial, number][]) =>
    stateAfter([
      start(
        values.map(([one]) => one),
        [],
      ),
      ...values.flatMap(([one, value]) => ended(one, value)),
    ]);

  it('rates that all do the same: a tie, and no edge', () => {
    const tied = valued([low, 0], [high, 0], [trial('lora', 4e-3), 0]);
    expect(words(tied)).not.toContain('tried');
    expect(peakRows(compare(tied)[0]!).flat().join(' ')).toMatch(
      /2e-3 \(1e-3 … 4e-3 not told apart\)(?!.*extend the grid)/,
    );
    expect(words(valued([low, 0.2], [high, 0.2], [trial('lora', 4e-3), 0]))).toContain('the lowest one tried');
  });

  it('unequal numbers of seeds', () => {
    const second = trial('lora', 1e-3, 2);
    expect(words(valued([low, 0.5], [second, 0.6], [high, 0.1]))).toContain('unequal numbers of seeds, 1 to 2');
    expect(words(valued([low, 0.5], [high, 0.1]))).not.toContain('unequal');
    const diverged = stateAfter(
      [
        ...ended(second, 0.1).slice(0, 1),
        {event: 'trial-ended', trial: second.id, state: 'diverged', steps: 3, seconds: 1},
      ],
      stateAfter([
        start([low, second, high, trial('lora', 2e-3, 2)], []),
        ...ended(low, 0.5),
        ...ended(high, 0.4),
        ...ended(trial('lora', 2e-3, 2), 0.4),
      ]),
    );
    expect(words(diverged)).not.toContain('unequal');
  });
});
