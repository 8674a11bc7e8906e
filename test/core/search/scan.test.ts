import {describe, expect, it} from 'vitest';
import {emptyRun} from '../../../core/run/fold.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {decide} from '../../../core/search/decide.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import type {Cell} from '../../../core/search/search.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {cellWith, play, rules, smooth, steps} from './world.ts';

const scanned = (cell: Cell, asked: readonly {trial: string; until: number}[]) =>
  cell.trials.flatMap(([trial], rate) =>
    asked.some(one => one.trial === trial!.id && one.until < cell.steps) ? [rate] : [],
  );

describe('a cell whose best rate is expected somewhere', () => {
  const cell = cellWith({rates: 16});

  it('scans the rates within a decade of that, and ends as if it had scanned all', () => {
    const {asked, decision} = play({...cell, expected: cell.rates[7]!}, smooth(6), () => 0);
    expect(scanned(cell, asked)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(decision.chosen).toBe(play(cell, smooth(6), () => 0).decision.chosen);
  });

  it('scans further rates as long as the lowest loss lies at an end of them, in either direction', () => {
    const low = play({...cell, expected: cell.rates[11]!}, smooth(3), () => 0);
    expect(scanned(cell, low.asked)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(low.decision.chosen).toBe(cell.rates[3]);
    const high = play({...cell, expected: cell.rates[1]!}, smooth(9), () => 0);
    expect(scanned(cell, high.asked)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(high.decision.chosen).toBe(cell.rates[9]);
  });

  it('goes down where all that it expected diverged', () => {
    const {asked, decision} = play({...cell, expected: cell.rates[13]!}, smooth(4, {divergesFrom: 8}), () => 0);
    expect(scanned(cell, asked)[0]).toBeLessThan(6);
    expect(decision.chosen).toBe(cell.rates[4]);
  });

  it('scans four rates at least, wherever that lies', () => {
    for (const expected of [1e-9, 1e9, 3e-5]) {
      const wide = {...cellWith({rates: 16}), rates: cell.rates.map((_, k) => 10 ** (2 * k - 20)), expected};
      const {wanted} = decide(wide, new Map(), rules);
      expect(wanted).toHaveLength(4);
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

  it('scans all of lora first; the others wait for its place', () => {
    const [waits, first] = decideAll([pissa, lora], {...emptyRun, curvature}, guided);
    expect(first!.wanted).toHaveLength(16);
    expect(waits).toMatchObject({
      stage: 'scan',
      wanted: [],
      why: expect.stringContaining('waits for the scan of lora'),
    });
  });

  it('then scans the others within a decade of its place divided by their curvature', () => {
    const {state, decision} = play(lora, smooth(10), () => 0, {limit: 16});
    const [asks] = decideAll([pissa, lora], {...state, curvature}, guided);
    const rates = asks!.wanted.map(({trial}) => trials.find(({id}) => id === trial)!.learningRate);
    const expected = decision.place! / 10;
    expect(rates.length).toBeGreaterThan(6);
    expect(rates.every(rate => rate >= expected / 10.01 && rate <= expected * 10.01)).toBe(true);
    expect(asks!.why).toContain('the curvature predicts about');
  });

  it('scans all rates of a method that was not probed, and of all without the setting', () => {
    const [all] = decideAll([pissa, lora], {...emptyRun, curvature: [curvature[0]!]}, guided);
    expect(all!.wanted).toHaveLength(16);
    const [plain] = decideAll([pissa, lora], {...emptyRun, curvature}, rules);
    expect(plain!.wanted).toHaveLength(16);
  });
});
