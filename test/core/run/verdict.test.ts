import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {peakRows} from '../../../core/run/compare/peak-table.ts';
import {emptyRun, fold, type RunState} from '../../../core/run/fold.ts';
import {type MethodCurve, methodCurve, ratePoint} from '../../../core/run/peak.ts';
import {spreadOf} from '../../../core/run/spread.ts';
import {needsOf} from '../../../core/run/verdict/needs.ts';
import {verdict} from '../../../core/run/verdict/sentences.ts';
import {studentQuantile} from '../../../core/run/verdict/student.ts';
import {confidenceOf, type Judging, judge, looksOf} from '../../../core/run/verdict/words.ts';
import {type Comparison, compare} from '../../../core/run/verdict.ts';
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
/** As a grid without settings of its own is judged. */
const usual: Judging = {baseline: 'lora', margin: 0.01, confidence: 0.97};
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
    expect(peak?.tied).toEqual(wanted.tied_lrs.filter(rate => rate !== wanted.peak_lr));
    expect(peak?.place).toContain(wanted.peak_lr);
  });

  it.each(expected.spreads)('give the spread between methods ($model, $metric, batch $batch)', wanted => {
    const spread = spreadOf(
      wanted.methods.map(method => paperCurve(wanted, method)),
      'accuracy',
      usual,
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

  it('names a tie and takes the middle of it', () => {
    const dora = accuracyOf(toy).curves.find(({method}) => method === 'dora')?.peak;
    expect(dora).toMatchObject({learningRate: 0.00355656, tied: [0.0112468]});
  });

  it('gives a best rate on a plateau as a range, not to three digits', () => {
    const dora = peakRows(accuracyOf(toy)).find(([method]) => method === 'dora')!;
    expect(dora[1]).toBe('3.6e-3 (2e-3 … 1.1e-2 not told apart)');
  });

  it('tells the words apart from the grounds, with the number of seeds', () => {
    const words = verdict(accuracyOf(toy)).join(' ');
    expect(words).toContain('1.0 points apart');
    expect(words).toContain('n = 2 seeds a rate');
    expect(words).toContain('97 % confidence');
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
    expect(verdict(accuracyOf(low)).join(' ')).toContain('is the highest one tried');
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

const words = (sweeps: number[][], judging: Partial<Judging> = {}, metric = 'accuracy') =>
  spreadOf(
    sweeps.map((values, k) => methodCurve(k === 0 ? 'lora' : `m${k}`, [ratePoint(1e-3, values)], metric)),
    metric,
    {...usual, ...judging},
  )!.gaps;
const around = (mean: number, off = 0.001) => [mean - off, mean, mean + off];

describe('a word', () => {
  it('is found where the difference is many deviations wide', () => {
    const gaps = words([around(0.9), around(0.95), around(0.8), around(0.9005, 0.0005)]);
    expect(gaps.map(({word}) => word)).toEqual(['better', 'worse', 'equivalent']);
  });

  it('turns round for a loss, whose margin is a share of the baseline', () => {
    const gaps = words([around(2), around(1.5), around(3), around(2.001)], {}, 'loss');
    expect(gaps.map(({word}) => word)).toEqual(['better', 'worse', 'equivalent']);
    expect(words([around(0.2), around(0.201)], {}, 'loss')[0]?.word).toBe('not resolved');
  });

  it('is never equivalent at a difference of the margin, and needs seeds there', () => {
    const [gap] = words([around(0.9, 0.005), around(0.91, 0.005)]);
    expect(gap).toMatchObject({word: 'not resolved'});
    expect(gap!.more).toBeGreaterThan(0);
  });

  it('is found with as many more seeds as were said, if means and noise stay', () => {
    const spread = (mean: number, seeds: number) => ({method: '', mean, std: 0.01, seeds});
    const judged = (seeds: number) => {
      const samples = [
        {...spread(0.9, seeds), method: 'lora'},
        {...spread(0.912, seeds), method: 'pissa'},
      ];
      const judgement = judge(samples, 'accuracy', usual)!;
      return {word: judgement.gaps[0]!.word, more: needsOf(judgement.gaps[0]!, samples, judgement, usual)?.seeds};
    };
    const {word, more} = judged(3);
    expect(word).toBe('not resolved');
    expect(judged(3 + more!).word).toBe('better');
    expect(judged(3 + more! - 1).word).toBe('not resolved');
  });

  it('takes a wider interval for a method that is louder than the others', () => {
    const quiet = [around(0.9), around(0.9), around(0.9), around(0.9)];
    const loud = words([...quiet, around(0.93, 0.02)]).at(-1)!;
    const alike = words([...quiet, around(0.93)]).at(-1)!;
    expect(alike.word).toBe('better');
    expect(loud.word).toBe('not resolved');
    // Welch's own: with three seeds, one deviation of 0.02 and one of 0.001, about two degrees of freedom.
    const t = studentQuantile(1 - 0.03 / 4, 2 * (1 + 2 * (0.001 / 0.02) ** 2));
    expect(loud.halfWidth! / (t * Math.sqrt((0.02 ** 2 + 0.001 ** 2) / 3))).toBeCloseTo(1, 2);
  });

  it('is not said of single seeds, nor where all seeds agree', () => {
    expect(words([[0.9], [0.5]])).toMatchObject([{word: 'not resolved', halfWidth: null, more: null}]);
    expect(
      words([
        [0.9, 0.9],
        [0.5, 0.5],
      ]),
    ).toMatchObject([{word: 'not resolved', halfWidth: null, more: null}]);
  });

  it('is against the first method where the baseline is none of them', () => {
    const curves = ['pissa', 'dora'].map(method => methodCurve(method, [ratePoint(1e-3, around(0.9))], 'accuracy'));
    expect(spreadOf(curves, 'accuracy', usual)).toMatchObject({baseline: {method: 'pissa'}, gaps: [{method: 'dora'}]});
  });

  it('is formed at the numbers of seeds in between, with more confidence each', () => {
    expect([looksOf(3, 8), looksOf(2, 8), looksOf(3, 3), looksOf(1, 3)]).toEqual([[3, 5, 8], [2, 4, 8], [3], [3]]);
    expect(confidenceOf({looks: 3, isSearch: true})).toBeCloseTo(1 - 0.05 / 3, 12);
    expect(confidenceOf({looks: 1, isSearch: false})).toBeCloseTo(0.97, 12);
  });
});

describe("the study's rows", () => {
  const shares = (curve: MethodCurve): MethodCurve =>
    methodCurve(
      curve.method.toLowerCase(),
      curve.points.map(one => ({
        ...one,
        mean: one.mean === null ? null : one.mean / 100,
        std: one.std === null ? null : one.std / 100,
      })),
      'accuracy',
    );

  it('hold no method that is better or worse than LoRA, and two that are equivalent within a point', () => {
    const wanted = expected.spreads.filter(({metric}) => metric === 'mean_gsm8k_math');
    const gaps = wanted.flatMap(one => {
      const curves = one.methods.map(method => shares(paperCurve(one, method)));
      return spreadOf(curves, 'accuracy', usual)!.gaps.map(gap => ({...gap, model: one.model}));
    });
    expect(gaps).toHaveLength(16);
    const found = gaps.filter(({word}) => word !== 'not resolved');
    expect(found.map(({model, method, word}) => [model, method, word])).toEqual([
      ['Qwen3-0.6B-Base', 'dora', 'equivalent'],
      ['Qwen3-0.6B-Base', 'pissa', 'equivalent'],
    ]);
    for (const {more} of gaps.filter(({word}) => word === 'not resolved')) expect(more).toBeGreaterThan(0);
  });
});

describe('while trials are under way', () => {
  it('every sentence and every word of the table says so', () => {
    const running = {
      ...toy,
      trials: toy.trials.map((view, k) => (k === 0 ? {...view, state: 'running' as const} : view)),
    };
    const comparison = accuracyOf(running);
    for (const sentence of verdict(comparison)) expect(sentence).toMatch(/^So far, /);
    for (const row of peakRows(comparison).slice(1)) expect(row[5]).toMatch(/, so far$/);
    for (const sentence of verdict(accuracyOf(toy))) expect(sentence).not.toContain('o far');
  });

  it('a paused trial is no value', () => {
    const paused = {...toy, trials: toy.trials.map(view => ({...view, state: 'paused' as const}))};
    expect(compare(paused)).toEqual([]);
  });
});
