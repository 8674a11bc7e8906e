import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {emptyRun, fold} from '../../../core/run/fold.ts';
import {methodCurve, ratePoint} from '../../../core/run/peak.ts';
import {compare} from '../../../core/run/verdict.ts';
import {readToy, toyEvents} from './toy-run.ts';

const json = <T>(name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')) as T;

interface Row {
  model: string;
  metric: string;
  method: string;
  lr: number;
  value: number;
}
interface ExpectedPeak {
  model: string;
  metric: string;
  method: string;
  source: string;
  peak_lr: number;
  peak_mean: number;
  peak_std_ddof1: number;
  tied_lrs: number[];
  lrs_within_90pct_of_peak: number[];
}

describe('the published runs of the study', () => {
  const {rows} = json<{rows: Row[]}>('paper-results.json');
  const expected = json<{peaks: ExpectedPeak[]}>('expected.json').peaks.filter(({source}) => source === 'rows');
  for (const peak of expected)
    it(`${peak.method}, ${peak.metric}: peak, spread, ties and plateau`, () => {
      const own = rows.filter(
        row => row.method === peak.method && row.metric === peak.metric && row.model === peak.model,
      );
      const rates = [...new Set(own.map(({lr}) => lr))].sort((a, b) => a - b);
      const points = rates.map(lr =>
        ratePoint(
          lr,
          own.filter(row => row.lr === lr).map(({value}) => value),
        ),
      );
      const found = methodCurve(peak.method, points, 'accuracy').peak!;
      expect(found.learningRate).toBe(peak.peak_lr);
      expect(found.mean).toBeCloseTo(peak.peak_mean, 5);
      expect(found.std).toBeCloseTo(peak.peak_std_ddof1, 5);
      expect(found.near).toEqual(peak.lrs_within_90pct_of_peak);
    });
});

describe('the fold of a run', () => {
  const events = toyEvents();
  const whole = events.reduce(fold, emptyRun);

  it('gives the accuracies that were evaluated, as one comparison of five methods', () => {
    const [accuracy] = compare(whole);
    expect(accuracy!.curves).toHaveLength(5);
    const {desc} = readToy();
    for (const curve of accuracy!.curves) expect(curve.points).toHaveLength(desc.lr.length);
    for (const {peak} of accuracy!.curves) expect(peak!.mean).toBeGreaterThan(0.98);
  });

  it('a trial that starts again loses its steps; one that goes on from a checkpoint keeps those before it', () => {
    const started = events.find(event => event.event === 'trial-started')!;
    const id = started.trial;
    const view = whole.trials[whole.places[id]!]!;
    expect(view.losses.steps.length).toBeGreaterThan(10);
    const again = fold(whole, {...started, at: whole.lastAt! + 1});
    expect(again.trials[again.places[id]!]).toMatchObject({state: 'running', steps: 0, evaluations: []});
    const onwards = fold(whole, {...started, from: 100, at: whole.lastAt! + 1});
    const kept = onwards.trials[onwards.places[id]!]!;
    expect(kept).toMatchObject({state: 'running', steps: 100, from: 100, secondsBefore: view.seconds});
    expect(kept.losses.steps).toEqual(view.losses.steps.filter(step => step <= 100));
  });
});

describe('the best rate', () => {
  const at = (rate: number, ...values: number[]) => ratePoint(rate, values);

  it('is one of those with the most seeds: a lucky single one does not win', () => {
    const {peak} = methodCurve('lora', [at(1e-4, 0.8, 0.81), at(2e-4, 0.95), at(4e-4, 0.7, 0.71)], 'accuracy');
    expect(peak).toMatchObject({learningRate: 1e-4, seeds: 2});
  });

  it('is the middle one of several with the same mean', () => {
    const points = [1, 2, 4, 8, 16].map(times => at(times * 1e-4, 0.9, 0.9));
    expect(methodCurve('lora', points, 'accuracy').peak).toMatchObject({
      learningRate: 4e-4,
      tied: [1e-4, 2e-4, 8e-4, 1.6e-3],
      place: [1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3],
      edge: null,
    });
  });

  it('is the one that a search chose, unless another with as many seeds did better', () => {
    const points = [at(1e-4, 0.8, 0.8, 0.8), at(2e-4, 0.9), at(4e-4, 0.81, 0.81, 0.81)];
    const chosen = (rate: number, more = points) =>
      methodCurve('lora', more, 'accuracy', {margin: 0.01, chosen: {learningRate: rate}}).peak?.learningRate;
    expect(chosen(1e-4)).toBe(4e-4);
    expect(chosen(1e-4, points.slice(0, 2))).toBe(1e-4);
    // One seed each: the search's own reasons decide.
    expect(chosen(1e-4, [at(1e-4, 0.8), at(2e-4, 0.8)])).toBe(1e-4);
  });

  it('is a range up to where a rate is told apart from it, and stops at one that diverged', () => {
    const noisy = (rate: number, mean: number) => at(rate, mean - 0.01, mean, mean + 0.01);
    const points = [noisy(1e-4, 0.8), noisy(2e-4, 0.89), noisy(4e-4, 0.9), noisy(8e-4, 0.895), noisy(16e-4, 0.86)];
    expect(methodCurve('lora', points, 'accuracy').peak?.place).toEqual([2e-4, 4e-4, 8e-4]);
    const broken = [...points.slice(0, 3), ratePoint(8e-4, [0.89, 0.9], 1), noisy(16e-4, 0.899)];
    expect(methodCurve('lora', broken, 'accuracy').peak?.place).toEqual([2e-4, 4e-4]);
  });

  it('is not widened by a rate whose seeds scatter', () => {
    const quiet = (rate: number, mean: number) => at(rate, mean - 0.001, mean, mean + 0.001);
    const points = [quiet(1e-4, 0.88), quiet(2e-4, 0.9), quiet(4e-4, 0.88), at(8e-4, 0.81, 0.89, 0.85)];
    expect(methodCurve('lora', points, 'accuracy').peak?.place).toEqual([2e-4]);
  });

  it('of single seeds is a range of rates within the margin', () => {
    const points = [at(1e-4, 0.895), at(2e-4, 0.9), at(4e-4, 0.88)];
    expect(methodCurve('lora', points, 'accuracy', {margin: 0.01}).peak?.place).toEqual([1e-4, 2e-4]);
    const losses = [at(1e-4, 2.01), at(2e-4, 2), at(4e-4, 2.05)];
    expect(methodCurve('lora', losses, 'loss', {margin: 0.01}).peak?.place).toEqual([1e-4, 2e-4]);
  });
});
