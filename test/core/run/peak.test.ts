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
