import {describe, expect, it} from 'vitest';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll} from '../../../core/run/fold.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {factsOf} from '../../../core/search/facts.ts';
import {rulesOf, scanStepsOf} from '../../../core/search/rules.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {cellWith, rules} from './world.ts';

describe('cells', () => {
  const alpha = {factor: 1, rankPower: 1, text: 'rank'};
  const common = {ranks: [8], batchSizes: [16, 4], seeds: [3, 1], alpha};
  const trials = expandTrials({
    methods: [
      {method: 'pissa', learningRates: [1e-5, 1e-4], ...common},
      {method: 'full', learningRates: [1e-6], ...common, ranks: [0]},
    ],
  });

  it('stand in the order of the sweep, one for each method, rank and batch size', () => {
    const cells = cellsOf(trials, {4: 200, 16: 50}, {training: {warmupRatio: 0.03}});
    expect(cells.map(({id, steps, warmUp}) => [id, steps, warmUp])).toEqual([
      ['pissa-r8-b16', 50, 2],
      ['pissa-r8-b4', 200, 6],
      ['full-b16', 50, 2],
      ['full-b4', 200, 6],
    ]);
    expect(cells[0]!.trials.map(row => row.map(({id}) => id))).toEqual([
      ['pissa-r8-b16-lr1.00e-5-s3', 'pissa-r8-b16-lr1.00e-5-s1'],
      ['pissa-r8-b16-lr1.00e-4-s3', 'pissa-r8-b16-lr1.00e-4-s1'],
    ]);
    expect(cells[0]!.seeds).toEqual([3, 1]);
  });

  it('leave out seeds that were added at one rate', () => {
    const further = {...trials[0]!, seed: 9, id: 'further'};
    expect(cellsOf([...trials, further], {4: 200, 16: 50}, {training: {warmupRatio: 0}})[0]!.seeds).toEqual([3, 1]);
  });

  it('need the steps of their batch size', () => {
    expect(() => cellsOf(trials, {4: 200}, {training: {warmupRatio: 0}})).toThrow('batch size 16');
  });
});

describe('the scan', () => {
  it('is a share of the steps, behind the warm-up, of 12 steps at least and half of all at most', () => {
    const search = {strategy: 'halving', scan: 1 / 16} as const;
    expect(scanStepsOf({steps: 1000, warmUp: 0}, search)).toBe(63);
    expect(scanStepsOf({steps: 1000, warmUp: 50}, search)).toBe(100);
    expect(scanStepsOf({steps: 100, warmUp: 3}, search)).toBe(12);
    expect(scanStepsOf({steps: 15, warmUp: 3}, search)).toBe(7);
  });
});

describe('the facts of a trial', () => {
  const cell = cellWith();
  const id = cell.trials[0]![0]!.id;
  const start: RunEventBody = {
    event: 'run-started',
    name: '',
    trials: cell.trials.flat(),
    engine: '',
    reason: '',
    workers: 1,
    resumed: false,
    steps: {16: cell.steps},
  };
  const steps = (from: number, to: number): RunEventBody[] =>
    Array.from({length: to - from + 1}, (_, k) => ({
      event: 'step',
      trials: [id],
      step: from + k,
      losses: [1000 - from - k],
      rates: [1],
      gradNorms: [1],
    }));
  const factOf = (...events: RunEventBody[]) => {
    const state = foldAll(
      emptyRun,
      [start, ...events].map(event => ({...event, at: 0})),
    );
    return factsOf(cell, state, rules).get(id)!;
  };
  const begun: RunEventBody = {event: 'trial-started', trial: id, steps: 320, worker: 0};
  const finished: RunEventBody = {event: 'trial-ended', trial: id, state: 'finished', steps: 320, tail: 2, seconds: 1};

  it('are none before it starts, and the first loss while it runs', () => {
    expect(factOf()).toMatchObject({state: 'waiting', steps: 0, firstLoss: null, scanTail: null, metric: null});
    expect(factOf(begun, ...steps(1, 25))).toMatchObject({state: 'running', steps: 25, firstLoss: 999, scanTail: null});
  });

  it('are the tails as they were stored', () => {
    const paused: RunEventBody = {event: 'trial-ended', trial: id, state: 'paused', steps: 20, tail: 5, seconds: 1};
    const on: RunEventBody = {...begun, from: 20};
    expect(factOf(begun, ...steps(1, 20), paused)).toMatchObject({state: 'paused', scanTail: 5, endTail: null});
    const all = factOf(begun, ...steps(1, 20), paused, on, ...steps(21, 320), finished);
    expect(all).toMatchObject({state: 'finished', scanTail: 5, endTail: 2, firstLoss: 999});
  });

  it('are tails of the curve where none was stored', () => {
    const finished: RunEventBody = {event: 'trial-ended', trial: id, state: 'finished', steps: 320, seconds: 1};
    // Steps 18 to 20 (three at least), and 289 to 320.
    expect(factOf(begun, ...steps(1, 320), finished)).toMatchObject({scanTail: 1000 - 19, endTail: 1000 - 304.5});
  });

  it("are the first evaluation's value after the last step; without a finite one it counts as diverged", () => {
    const evaluated = (step: number, task: string, value: number | null): RunEventBody => ({
      ...{event: 'evaluation', trial: id, step, task, metric: 'accuracy', value, correct: null, total: 9},
    });
    const early = evaluated(160, 'exact-match', 0.3);
    const other = evaluated(320, 'gsm8k', 0.1);
    expect(factOf(begun, ...steps(1, 320), early, other, finished)).toMatchObject({state: 'finished', metric: null});
    const at = (value: number | null) => [evaluated(320, 'exact-match', 0.5), evaluated(320, 'exact-match', value)];
    expect(factOf(begun, ...steps(1, 320), ...at(0.7), finished)).toMatchObject({state: 'finished', metric: 0.7});
    expect(factOf(begun, ...steps(1, 320), ...at(null), finished)).toMatchObject({state: 'diverged', metric: null});
  });
});

describe('what a search goes by', () => {
  const evaluate = [{task: 'loss', data: 'a.jsonl', maxNewTokens: 1, entry: 'a.jsonl'}] as const;

  it('is the first evaluation, by the name that the fold gives it', () => {
    const search = {strategy: 'halving', scan: 0.1} as const;
    expect(rulesOf({search, evaluate: [...evaluate]})).toEqual({
      search,
      margin: 0.01,
      objective: {task: 'loss on a.jsonl', metrics: ['loss'], lowerIsBetter: true},
    });
    expect(rulesOf({search, verdict: {margin: 0.02, baseline: 'lora'}, evaluate: [...evaluate]})?.margin).toBe(0.02);
    expect(rulesOf({evaluate: [...evaluate]})).toBeNull();
  });
});
