import {describe, expect, it} from 'vitest';
import {emptyRun} from '../../../core/run/fold.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {decide} from '../../../core/search/decide.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import {placeOf} from '../../../core/search/place.ts';
import type {Cell} from '../../../core/search/search.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {cellWith, play, rules, smooth, steps} from './world.ts';

const scanned = (cell: Cell, asked: readonly {trial: string; until: number}[]) =>
  cell.trials.flatMap(([trial], rate) =>
    asked.some(one => one.trial === trial!.id && one.until < cell.steps) ? [rate] : [],
  );

describe('a scan', () => {
  it('is of every second rate, then of those beside the lowest loss', () => {
    const cell = cellWith({rates: 12});
    for (const [peak, all] of [
      [6, [1, 3, 5, 6, 7, 8, 9, 11]],
      [0, [0, 1, 2, 3, 5, 7, 9, 11]],
      [14, [1, 3, 5, 7, 9, 10, 11]],
    ] as const)
      expect(scanned(cell, play(cell, smooth(7, {scanPeak: peak + 0.8}), () => 0).asked)).toEqual(all);
  });

  it('finds the place that a scan of all rates finds, wherever losses fall to one lowest point', () => {
    for (let rates = 4; rates < 17; rates += 1)
      for (let peak = 0; peak < rates; peak += 0.5) {
        const cell = cellWith({rates, total: 1600});
        const landscape = smooth(peak);
        const tails = cell.rates.map((_, rate) => landscape(rate, 1).scan!);
        const {decision} = play(cell, landscape, () => 0);
        expect(decision.place).toBeCloseTo(placeOf(cell.rates, tails, 1 / 16)!, 12);
      }
  });

  it('goes down where every second rate diverged', () => {
    const cell = cellWith({rates: 12});
    const {asked, decision} = play(cell, smooth(0, {divergesFrom: 1}), () => 0);
    expect(scanned(cell, asked)).toEqual([0, 1, 3, 5, 7, 9, 11]);
    expect(decision.place).toBe(cell.rates[0]);
  });
});

describe('a cell whose best rate is expected somewhere', () => {
  const cell = cellWith({rates: 16});

  it('scans the rates within a decade of that, and ends as if it had scanned all', () => {
    const {asked, decision} = play({...cell, expected: cell.rates[7]!}, smooth(6), () => 0);
    expect(scanned(cell, asked)).toEqual([4, 6, 7, 8, 9, 10]);
    expect(decision.chosen).toBe(play(cell, smooth(6), () => 0).decision.chosen);
  });

  it('scans further rates as long as the lowest loss lies at an end of them, in either direction', () => {
    const low = play({...cell, expected: cell.rates[11]!}, smooth(3), () => 0);
    expect(scanned(cell, low.asked)).toEqual([4, 5, 6, 7, 8, 9, 10, 12, 14]);
    expect(low.decision.chosen).toBe(cell.rates[3]);
    const high = play({...cell, expected: cell.rates[1]!}, smooth(9), () => 0);
    expect(scanned(cell, high.asked)).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(high.decision.chosen).toBe(cell.rates[9]);
  });

  it('goes down where all that it expected diverged', () => {
    const {asked, decision} = play({...cell, expected: cell.rates[13]!}, smooth(4, {divergesFrom: 8}), () => 0);
    expect(scanned(cell, asked)[0]).toBeLessThan(6);
    expect(decision.chosen).toBe(cell.rates[4]);
  });

  it('starts from two rates at least, wherever that lies', () => {
    for (const expected of [1e-9, 1e9, 3e-5]) {
      const wide = {...cellWith({rates: 16}), rates: cell.rates.map((_, k) => 10 ** (2 * k - 20)), expected};
      const {wanted} = decide(wide, new Map(), rules);
      expect(wanted).toHaveLength(2);
    }
  });
});

describe('a search that starts from the curvature', () => {
  const learningRates = cellWith({rates: 16}).rates;
  const alpha = {factor: 1, rankPower: 1, text: 'rank'};
  const both = {learningRates, ranks: [8], batchSizes: [16], seeds: [1], alpha};
  const trials = expandTrials({methods: (['pissa', 'lora'] as const).map(method => ({method, ...both}))});
  const [pissa, lora] = cellsOf(trials, {16: steps}, {training: {warmupRatio: 0}}) as [Cell, Cell];
  const guided = {...rules, search: {...rules.search, start: 'curvature' as const}};
  const probed = (method: string, lambdaMax: number) => ({
    ...{method, rank: 8, batchSize: 16, seed: 1, step: 0, layer: 0, module: 'q_proj', lambdaMax, lambdaMin: 0},
    ...{iterations: 9, residual: 0, at: 0},
  });
  const curvature = [probed('lora', 2), probed('pissa', 20)];

  it('scans lora first, over all of its rates; the others wait for its place', () => {
    const [waits, first] = decideAll([pissa, lora], {...emptyRun, curvature}, guided);
    expect(first!.wanted).toHaveLength(8);
    expect(waits).toMatchObject({
      stage: 'scan',
      wanted: [],
      why: expect.stringContaining('waits for the scan of lora'),
    });
  });

  it('then scans the others within a decade of its place divided by their curvature', () => {
    const {state, decision} = play(lora, smooth(10), () => 0, {limit: 10});
    const [asks] = decideAll([pissa, lora], {...state, curvature}, guided);
    const rates = asks!.wanted.map(({trial}) => trials.find(({id}) => id === trial)!.learningRate);
    const expected = decision.place! / 10;
    expect(rates.length).toBeGreaterThan(3);
    expect(rates.every(rate => rate >= expected / 10.01 && rate <= expected * 10.01)).toBe(true);
    expect(asks!.why).toContain('the curvature predicts about');
  });

  it('scans over all rates of a method that was not probed, and of all without the setting', () => {
    const [all] = decideAll([pissa, lora], {...emptyRun, curvature: [curvature[0]!]}, guided);
    expect(all!.wanted).toHaveLength(8);
    const [plain] = decideAll([pissa, lora], {...emptyRun, curvature}, rules);
    expect(plain!.wanted).toHaveLength(8);
  });
});
