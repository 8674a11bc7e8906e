import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {emptyRun, fold, type RunState} from '../../../core/run/fold.ts';
import {type MethodCurve, methodCurve, ratePoint} from '../../../core/run/peak.ts';
import {spreadOf, studentQuantile, studentWithin} from '../../../core/run/spread.ts';
import {type Comparison, compare, verdict} from '../../../core/run/verdict.ts';
import {toyEvents} from './toy-run.ts';

interface Expected {
  model: string;
  metric: string;
  batch: number;
}
interface ExpectedPeak extends Expected {
  method: string;
  peak_lr: number;
  peak_mean: number;
  peak_std_ddof1: number;
  n_seeds: number;
  tied_lrs: number[];
  lrs_within_90pct_of_peak: number[];
}
interface ExpectedSpread extends Expected {
  methods: string[];
  ranking: string[];
  peak_spread: number;
  spread_at_fixed_lr: [number, number][];
}
interface Row extends Expected {
  method: string;
  lr: number;
  value: number;
  mean: number;
  std: number;
  n_seeds: number;
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8'));
}
const paper = read<{rows: Row[]; aggregate_rows: Row[]}>('paper-results.json');
const expected = read<{peaks: ExpectedPeak[]; spreads: ExpectedSpread[]}>('expected.json');
/** expected.json is rounded to six decimals. */
const rounded = 6;

function paperCurve(wanted: Expected, method: string): MethodCurve {
  const mine = (row: Row) =>
    row.model === wanted.model && row.metric === wanted.metric && row.batch === wanted.batch && row.method === method;
  const rows = paper.rows.filter(mine);
  const rates = [...new Set(rows.map(row => row.lr))];
  const points = rates.map(rate =>
    ratePoint(
      rate,
      rows.filter(row => row.lr === rate).map(row => row.value),
    ),
  );
  const printed = paper.aggregate_rows
    .filter(mine)
    .map(({lr, mean, std, n_seeds}) => ({learningRate: lr, mean, std, seeds: n_seeds, diverged: 0}));
  return methodCurve(method, [...points, ...printed], 'accuracy');
}

describe("the study's published numbers", () => {
  it.each(expected.peaks)('give the peak of $method ($model, $metric, batch $batch)', wanted => {
    const {peak} = paperCurve(wanted, wanted.method);
    expect(peak?.learningRate).toBe(wanted.peak_lr);
    expect(peak?.mean).toBeCloseTo(wanted.peak_mean, rounded);
    expect(peak?.std).toBeCloseTo(wanted.peak_std_ddof1, rounded);
    expect(peak?.seeds).toBe(wanted.n_seeds);
    expect(peak?.near).toEqual(wanted.lrs_within_90pct_of_peak);
    expect([wanted.peak_lr, ...(peak?.tied ?? [])]).toEqual([
      wanted.peak_lr,
      ...wanted.tied_lrs.filter(rate => rate !== wanted.peak_lr),
    ]);
  });

  it.each(expected.spreads)('give the spread between methods ($model, $metric, batch $batch)', wanted => {
    const spread = spreadOf(
      wanted.methods.map(method => paperCurve(wanted, method)),
      'accuracy',
    );
    expect(spread?.peaks).toBeCloseTo(wanted.peak_spread, rounded);
    expect(spread?.ranking.map(peak => peak.method)).toEqual(wanted.ranking);
    expect(spread?.atRate.map(at => at.learningRate)).toEqual(wanted.spread_at_fixed_lr.map(([rate]) => rate));
    spread?.atRate.forEach((at, k) => {
      expect(at.spread).toBeCloseTo(wanted.spread_at_fixed_lr[k]![1], rounded);
    });
  });
});

const toy = toyEvents(100).reduce(fold, emptyRun);
const accuracyOf = (state: RunState): Comparison => compare(state).find(({metric}) => metric === 'accuracy')!;

describe('the toy sweep', () => {
  it('has the peaks of its description, for accuracy and for loss', () => {
    const peaks = accuracyOf(toy).curves.map(({peak}) => [peak?.method, peak?.learningRate]);
    expect(peaks).toEqual([
      ['lora', 0.00632456],
      ['pissa', 0.002],
      ['milora', 0.00355656],
      ['init-ab', 0.00355656],
      ['dora', 0.00355656],
    ]);
    const lora = compare(toy).find(({metric}) => metric === 'loss')?.curves[0]?.peak;
    expect(lora).toMatchObject({learningRate: 0.00632456, mean: (0.00555 + 0.00405) / 2});
  });

  it('names a tie and takes the lower rate', () => {
    expect(accuracyOf(toy).curves.find(({method}) => method === 'dora')?.peak?.tied).toEqual([0.0112468]);
  });

  it('is called no ranking, with the number of seeds', () => {
    const words = verdict(accuracyOf(toy)).join(' ');
    expect(words).toContain('1.0 points apart');
    expect(words).toContain('n = 2 seeds');
    expect(words).toContain('no ranking');
  });

  it('passes over a rate where a seed diverged', () => {
    const without = {
      ...toy,
      trials: toy.trials.map(view =>
        view.trial.id === 'lora-r8-b16-lr6.32e-3-s1' ? {...view, state: 'diverged' as const, evaluations: []} : view,
      ),
    };
    const {peak, points} = accuracyOf(without).curves[0]!;
    expect(points.find(({learningRate}) => learningRate === 0.00632456)).toMatchObject({seeds: 1, diverged: 1});
    expect(peak?.learningRate).not.toBe(0.00632456);
  });

  it('says when a best rate is at the edge of the grid', () => {
    const low = {...toy, trials: toy.trials.filter(view => view.trial.learningRate < 2.5e-3)};
    expect(verdict(accuracyOf(low)).at(-1)).toContain('is the highest one tried');
  });

  it('with one seed says that chance cannot be judged', () => {
    const one = {...toy, trials: toy.trials.filter(view => view.trial.seed === 1)};
    expect(verdict(accuracyOf(one)).join(' ')).toContain('With n = 1 seed a rate nobody can say');
  });

  it('is compared by its training loss where nothing is evaluated', () => {
    const bare = {...toy, trials: toy.trials.map(view => ({...view, evaluations: []}))};
    expect(compare(bare).map(({task, metric}) => [task, metric])).toEqual([['training', 'loss']]);
  });

  it('counts no trial that is not finished', () => {
    const running = {...toy, trials: toy.trials.map(view => ({...view, state: 'running' as const}))};
    expect(compare(running)).toEqual([]);
  });
});

describe('a difference between methods', () => {
  const curves = (means: number[]): MethodCurve[] =>
    means.map((mean, k) => methodCurve(`m${k}`, [ratePoint(1e-3, [mean - 0.01, mean, mean + 0.01])], 'accuracy'));

  it('is told from chance where it is many deviations wide', () => {
    expect(spreadOf(curves([0.9, 0.89, 0.5]), 'accuracy')?.behind.map(peak => peak.method)).toEqual(['m2']);
  });

  it('is left to chance where it is not', () => {
    expect(spreadOf(curves([0.9, 0.89, 0.88]), 'accuracy')?.behind).toEqual([]);
  });

  it("is judged by Student's distribution", () => {
    // Two-sided 5 % points of the usual tables, given to three decimals.
    for (const [freedom, t] of [
      [1, 12.706],
      [2, 4.303],
      [3, 3.182],
      [4, 2.776],
      [5, 2.571],
      [10, 2.228],
      [30, 2.042],
    ] as const) {
      expect(studentWithin(t, freedom)).toBeCloseTo(0.95, 4);
    }
  });
});

describe('the gap to LoRA', () => {
  it('has the quantiles of Student’s distribution (table values of two-sided 95 % and 99 %)', () => {
    expect(studentQuantile(0.95, 1)).toBeCloseTo(12.706, 3);
    expect(studentQuantile(0.95, 10)).toBeCloseTo(2.228, 3);
    expect(studentQuantile(0.99, 4)).toBeCloseTo(4.604, 3);
  });

  it('holds nought for every method of the study that the verdict does not call apart', () => {
    for (const wanted of expected.spreads) {
      const curves = wanted.methods.map(method => paperCurve(wanted, method === 'LoRA' ? 'LoRA' : method));
      const named = curves.map(curve => ({
        ...curve,
        peak: curve.peak && {...curve.peak, method: curve.method.toLowerCase()},
      }));
      const spread = spreadOf(named, 'accuracy');
      expect(spread?.gaps).toHaveLength(wanted.methods.length - 1);
      for (const {difference, halfWidth} of spread?.gaps ?? []) {
        expect(Math.abs(difference)).toBeLessThan(halfWidth ?? 0);
      }
      expect(spread?.behind).toEqual([]);
    }
  });
});
