import {describe, expect, it} from 'vitest';
import {clockOf, expectationInWords, expectationOf} from '../../../core/search/expectation.ts';
import {random} from '../../../trainer/math/random.ts';
import {cellWith, groupWith, play, playAll, rules, smooth} from './world.ts';

describe('what a search will cost', () => {
  const cell = cellWith({total: 1600});

  it('is about two thirds of the rates for the scan, and a range for whole trials', () => {
    const {scans, rates, scanSteps, whole, steps, gridSteps, chain} = expectationOf([cell, cell], rules);
    expect({scans, rates, scanSteps, gridSteps}).toEqual({
      scans: 16,
      rates: 24,
      scanSteps: 16 * 100,
      gridSteps: 72 * 1600,
    });
    expect([whole.least, whole.most]).toEqual([2 * 4, 2 * (12 + 2 * 3)]);
    expect(steps.least).toBe(2 * ((7 - 2) * 100 + 4 * 1600));
    expect(steps.expected / gridSteps).toBeCloseTo(0.138, 2);
    expect([chain.least, chain.most]).toEqual([2, 14]);
  });

  it('holds what searches take', () => {
    const {whole, steps} = expectationOf([cell], rules);
    for (let name = 0; name < 50; name += 1) {
      const {next} = random('cost', name);
      const landscape = smooth(12 * next());
      const {asked, state} = play(
        cell,
        (rate, seed) => landscape(rate, seed),
        () => 0,
      );
      const done = asked.filter(({until}) => until === cell.steps).length;
      expect(done).toBeGreaterThanOrEqual(whole.least);
      expect(done).toBeLessThanOrEqual(whole.most);
      const taken = state.trials.reduce((sum, view) => sum + view.steps, 0);
      expect(taken).toBeGreaterThanOrEqual(steps.least);
      expect(taken).toBeLessThanOrEqual(steps.most);
    }
  });

  it('counts the further seeds of a group once, and holds what its searches take', () => {
    const cells = groupWith(['0', '0.1', '0.5']);
    const {whole, steps, gridSteps} = expectationOf(cells, rules);
    expect(whole.least).toBe(4);
    expect(whole.expected).toBeCloseTo(3 * 2.6 + 2 * (1.03 + 2 * 0.2));
    expect(steps.expected / gridSteps).toBeLessThan(0.12);
    for (let name = 0; name < 30; name += 1) {
      const {next} = random('group', name);
      const landscapes = cells.map(() => smooth(12 * next()));
      const {asked, state} = playAll(cells, landscapes, () => 0);
      const done = asked.filter(({until}) => until === cells[0]!.steps).length;
      expect(done).toBeGreaterThanOrEqual(whole.least);
      expect(done).toBeLessThanOrEqual(whole.most);
      const taken = state.trials.reduce((sum, view) => sum + view.steps, 0);
      expect(taken).toBeGreaterThanOrEqual(steps.least);
      expect(taken).toBeLessThanOrEqual(steps.most);
    }
  });

  it('takes the time of its work with one worker, and no less than its chain with many', () => {
    const expected = expectationOf([cell, cell], rules);
    const {steps, gridSteps, chain} = expected;
    // A step takes a second.
    const of = (workers: number) => clockOf(expected, {seconds: gridSteps / workers, workers, side: 1});
    expect(of(1).expected).toBeCloseTo(steps.expected);
    expect(of(1000).expected).toBeGreaterThan(chain.expected * 1600);
    expect(of(1000).expected).toBeLessThan(chain.expected * 1600 * 1.1);
    const two = of(2);
    expect(two.least).toBeLessThan(two.expected);
    expect(two.expected).toBeLessThan(two.most);
  });

  it('is less where the curvature says which rates are scanned', () => {
    const guided = {search: {...rules.search, start: 'curvature' as const}};
    const trials = cell.trials.map(row => row.map(trial => ({...trial, method: 'pissa' as const})));
    const expected = expectationOf([cell, {...cell, trials}], guided);
    // Nine of the twelve rates lie within a decade of the middle one.
    expect(expected.scans).toBe(8 + 6);
    expect(expectationInWords(expected)[0]).toMatch(/^About 14 of 24 rates are scanned/);
    expect(expected.steps.expected).toBeLessThan(expectationOf([cell, cell], rules).steps.expected);
  });

  it('is the grid where nothing can be searched, and says why', () => {
    const few = cellWith({rates: 3});
    const expected = expectationOf([few], rules);
    expect(expected.steps.expected).toBe(expected.gridSteps);
    expect(expectationInWords(expected)).toEqual([expect.stringMatching(/^3 rates are too few/)]);
  });

  it('is told as a share of the grid, and how much that costs', () => {
    expect(expectationInWords(expectationOf([cell], rules)).join(' ')).toBe(
      "About 8 of 12 rates are scanned in 800 steps; about 5 trials (4 to 18) are trained whole. That is about 13.9 % of the grid's steps: the grid costs 7.2 × as much. However many the workers, about 2.6 whole trainings (2 to 14) follow one another; the grid's are all independent.",
    );
  });
});
