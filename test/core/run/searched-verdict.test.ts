/** What is said of a run whose rates were searched. */
import {describe, expect, it} from 'vitest';
import {peakColumns, peakRows} from '../../../core/run/compare/peak-table.ts';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {formatSnapshot, readSnapshot} from '../../../core/run/snapshot.ts';
import {verdict} from '../../../core/run/verdict/sentences.ts';
import {compare} from '../../../core/run/verdict.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

const rates = [1e-4, 2e-4, 4e-4];
const trial = (method: Trial['method'], rate: number, seed: number): Trial => ({
  ...{id: `${method}-r8-b16-lr${rate}-s${seed}`, method, rank: 8, alpha: 8, batchSize: 16, learningRate: rate, seed},
});
const trials = (['lora', 'pissa'] as const).flatMap(method =>
  rates.flatMap(rate => [1, 2, 3].map(seed => trial(method, rate, seed))),
);

const stateAfter = (bodies: RunEventBody[], state: RunState = emptyRun): RunState =>
  foldAll(
    state,
    bodies.map((body, at): RunEvent => ({...body, at})),
  );

const start: RunEventBody = {
  ...{event: 'run-started', name: 'searched', trials, engine: 'compiled', reason: '', workers: 1, resumed: false},
  steps: {16: 100},
  search: {strategy: 'halving', scan: 0.0625},
  verdict: {margin: 0.02, baseline: 'pissa', seeds: 8, looks: [3, 5, 8]},
};

/** Seeds of one rate that are trained whole. */
const whole = (method: Trial['method'], rate: number, values: number[]): RunEventBody[] =>
  values.flatMap((value, k): RunEventBody[] => {
    const {id} = trial(method, rate, k + 1);
    const at = {event: 'evaluation', trial: id, step: 100, task: 'exact-match', metric: 'accuracy'} as const;
    return [
      {...at, value, correct: null, total: 100},
      {event: 'trial-ended', trial: id, state: 'finished', steps: 100, seconds: 1},
    ];
  });

const searched = (method: string, chosen: number, stage: 'seeds' | 'done'): RunEventBody => ({
  ...{event: 'searched', cell: `${method}-r8-b16`, stage, place: chosen, trials: [], until: 100, chosen, why: ''},
});

const done = stateAfter([
  start,
  ...whole('lora', 2e-4, [0.9, 0.91, 0.89]),
  ...whole('lora', 4e-4, [0.97]),
  ...whole('pissa', 1e-4, [0.9, 0.905, 0.895]),
  {event: 'trial-ended', trial: trial('lora', 1e-4, 1).id, state: 'paused', steps: 12, seconds: 1, tail: 2},
  searched('lora', 2e-4, 'done'),
  searched('pissa', 1e-4, 'done'),
  {event: 'run-ended', state: 'finished', seconds: 9},
]);

describe('a search that is done', () => {
  it('has the chosen rates as peaks, though a single seed elsewhere did better', () => {
    const [comparison] = compare(done);
    expect(comparison!.curves.map(({peak}) => [peak?.learningRate, peak?.seeds])).toEqual([
      [2e-4, 3],
      [1e-4, 3],
    ]);
    expect(comparison!.isUnderWay).toBe(false);
  });

  it("is judged by the file's baseline, margin and looks", () => {
    const [{spread, judging}] = compare(done) as [ReturnType<typeof compare>[number]];
    expect(judging).toMatchObject({baseline: 'pissa', margin: 0.02});
    expect(judging.confidence).toBeCloseTo(1 - 0.05 / 3, 12);
    expect(spread?.baseline.method).toBe('pissa');
    expect(spread?.gaps).toMatchObject([{method: 'lora'}]);
  });

  it('marks rates that were only scanned, and gives them no value', () => {
    const [{curves}] = compare(done) as [ReturnType<typeof compare>[number]];
    const of = (method: string) => curves.find(curve => curve.method === method)!.points;
    expect(of('lora').map(({scanned, mean}) => [scanned ?? false, mean !== null])).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
    // Not looked at is not scanned.
    expect(of('pissa').map(({scanned}) => scanned)).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    // The pair is the rate at or below the place, and the next one.
    ['scan', 1.9e-4, []],
    ['walk', 2.1e-4, []],
    ['again', 1.9e-4, whole('pissa', 2e-4, [0.8, 0.81, 0.82])],
    ['grid', null, []],
  ] as const)('says that a rate was found by %s', (found, place, more) => {
    const decision = {...searched('pissa', 1e-4, 'done'), place} as RunEventBody;
    const [comparison] = compare(stateAfter([...more, decision], done));
    const {curves} = comparison!;
    expect(curves.find(({method}) => method === 'pissa')!.found).toBe(found);
    expect(peakColumns(comparison!)[2]?.title).toBe('how found');
    for (const row of peakRows(comparison!)) expect(row).toHaveLength(peakColumns(comparison!).length);
  });

  it('says what to write for the words that are missing, once it is done', () => {
    const [comparison] = compare(done);
    const gap = comparison!.spread!.gaps[0]!;
    expect(gap.word).toBe('not resolved');
    expect(verdict(comparison!).at(-1)).toContain(`'verdict: {seeds: ${3 + gap.more!}}' in the sweep file`);
    // Single seeds beside the chosen rates are what a search is.
    expect(verdict(comparison!).join(' ')).not.toContain('unequal numbers of seeds');
    const open = {...comparison!, isUnderWay: true};
    expect(verdict(open).join(' ')).not.toContain('verdict: {seeds');
    // A grid takes them as well; what others trained is not to be trained here.
    const grid = {...comparison!, curves: comparison!.curves.map(({found: _, ...curve}) => curve)};
    expect(verdict(grid).join(' ')).toContain('verdict: {seeds');
    const imported = {...grid, judging: {...grid.judging, percentages: true as const}};
    expect(verdict(imported).join(' ')).not.toContain('verdict: {seeds');
    expect(verdict({...grid, isBeside: true}).join(' ')).not.toContain('verdict: {seeds');
    expect(peakColumns(grid).map(({title}) => title)).not.toContain('how found');
  });

  it('says who was trained at further rates before a word stood, once', () => {
    const cell = {event: 'challenged', cell: 'lora-r8-b16', method: 'lora', by: 'pissa'} as const;
    const walked = stateAfter(
      [
        {...cell, rates: [1e-4, 4e-4]},
        {...cell, rates: [4e-4]},
      ],
      done,
    );
    const sentences = verdict(compare(walked)[0]!).filter(sentence => sentence.includes('behind'));
    expect(sentences).toEqual([
      'As lora seemed to be behind pissa, it was also trained at 1e-4 and 4e-4 with the same seeds.',
    ]);
    expect(verdict(compare(done)[0]!).join(' ')).not.toContain('behind');
  });

  it('is as well known after a snapshot', () => {
    const stored = readSnapshot(formatSnapshot({state: done, bytes: 1, tail: ''}));
    expect(compare(stored!.state)).toEqual(compare(done));
  });

  it('is so far only while a cell still searches, or the run goes on', () => {
    const again = stateAfter([start, searched('lora', 2e-4, 'seeds')], done);
    const [comparison] = compare(again);
    expect(comparison!.isUnderWay).toBe(true);
    expect(verdict(comparison!).every(sentence => sentence.startsWith('So far, '))).toBe(true);
    expect(peakRows(comparison!)[0]![6]).toMatch(/so far$/);
  });
});
