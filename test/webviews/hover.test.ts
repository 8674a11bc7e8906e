/** What the charts say to a pointer: everywhere something, and never of what has no name. */
import type {Chart} from 'chart.js';
import {describe, expect, it} from 'vitest';
import {parallelOf} from '../../core/figure/charts/parallel.ts';
import {landscapes} from '../../core/run/compare/landscape.ts';
import {settingsTables} from '../../core/run/compare/settings-table.ts';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {type Comparison, compare} from '../../core/run/verdict.ts';
import {
  alongChart,
  conditionsChart,
  layerChart,
  rateAgainstCurvature,
  stripChart,
} from '../../webviews/curvature-chart.ts';
import type {Configuration} from '../../webviews/elements.ts';
import {heatMap, peakLines} from '../../webviews/landscape-chart.ts';
import {lossChart, lossScale} from '../../webviews/loss-chart.ts';
import {firstChoices} from '../../webviews/page.ts';
import {rateBars, rateChart} from '../../webviews/rate-chart.ts';
import {scanChart} from '../../webviews/scan-section.ts';
import {parallelChart} from '../../webviews/settings/parallel-chart.ts';
import {light} from '../../webviews/theme/palette.ts';
import {richRun} from '../core/figure/rich-run.ts';
import {toyEvents} from '../core/run/toy-run.ts';
import {drawn, placesOf, saidAt} from './drawn.ts';

const state = foldAll(emptyRun, toyEvents());
const methods = ['lora', 'pissa', 'dora'];
const titles = /\b(LoRA|PiSSA|MiLoRA|Init\[AB\]|DoRA)/;

/** Places at which a chart says nothing of a method, or no number beside it. */
function silentPlaces(chart: Chart): string[] {
  return [...placesOf(chart)].flatMap(({x, y}) => {
    const [title = '', ...values] = saidAt(chart, x, y);
    const said = [title, ...values].join('\n');
    const isMute = title === '' || said.includes('0e0') || !titles.test(said) || !/\d|diverged/.test(values.join());
    return isMute ? [`${x} ${y}: ${JSON.stringify(said)}`] : [];
  });
}

function ranked(comparison: Comparison, rank: number): Comparison {
  return {...comparison, rank};
}

const comparisons = compare(state);
/** Seeds that diverged, rates without a value: what has marks beside its line. */
const marked: Comparison = {
  ...comparisons[0]!,
  curves: comparisons[0]!.curves.map((curve, place) => ({
    ...curve,
    points: curve.points.map((point, k) =>
      k === place ? {...point, mean: null, std: null, seeds: 0, diverged: 2} : {...point, diverged: k % 2},
    ),
  })),
};
/** As a search draws it: upright lines instead of bands. */
const searched: Comparison = {
  ...comparisons[0]!,
  curves: comparisons[0]!.curves.map(curve => ({...curve, found: 'walk'})),
};
const landscape = landscapes(comparisons.slice(0, 1).flatMap(one => [ranked(one, 4), ranked(one, 8)]))[0]!;
const blocks = methods.flatMap((method, m) =>
  [0, 1, 2].map(layer => ({method, module: 'q_proj', layer, relative: (m + 1) * (layer + 1)})),
);
const againstRates = {
  ...{task: 'desc', metric: 'accuracy', correlation: {points: 3, rho: null, p: null, exact: true}},
  points: methods.map((method, k) => ({
    method,
    rank: 8,
    batchSize: 16,
    lambdaMax: k + 1,
    bestRate: 10 ** (-k - 2),
    place: [],
  })),
};
const rich = richRun({methods: ['lora', 'pissa', 'dora'], rates: [1e-4, 1e-3, 1e-2]});
const settings = settingsTables(rich)[0]!;
const scan = {
  title: 'rank 8',
  steps: 10,
  methods: methods.map((method, k) => ({
    method,
    points: [1e-4, 1e-3, 1e-2].map((learningRate, r) => ({learningRate, loss: r === k ? null : 1 + k + r})),
  })),
};
const along = methods.map((method, k) => ({
  method,
  learningRate: 1e-3,
  points: [0, 5, 10].map(step => ({step, lambdaMax: 1 + k + step, preconditioned: null})),
}));
const over = methods.map((method, k) => ({method, values: [1 + k, 2 + k]}));
const views = state.trials.filter(({trial}) => trial.method === 'dora').slice(0, 10);
const panel = {views, methods: ['dora'], scale: lossScale(views, 'losses')};

const charts: [string, () => Configuration][] = [
  ...[...comparisons, marked, searched].flatMap((one, k): [string, () => Configuration][] => [
    [`${one.task} ${one.metric} with bands, ${k}`, () => rateChart(one, light)],
    [`${one.task} ${one.metric} with bars, ${k}`, () => rateBars(one, light)],
  ]),
  ['the losses', () => lossChart({...panel, view: firstChoices}, () => {}, light)],
  ['peaks over the rank', () => peakLines(landscape, light)],
  ['a heat map', () => heatMap(landscape, 'dora', light)],
  ['curvature by layer', () => layerChart(blocks, methods, light)],
  ['all blocks', () => stripChart(blocks, methods, light)],
  ['rate against curvature', () => rateAgainstCurvature(againstRates, methods, light)],
  ['curvature along training', () => alongChart({lines: along}, light)],
  ['curvature by condition', () => conditionsChart({when: 'at the start', places: ['a', 'b'], methods: over}, light)],
  ['every setting', () => parallelChart(parallelOf(settings)!, settings.factors, light)],
  ['a scan', () => scanChart(scan, [1, 2, 3, 4, 5], methods, light)],
];

describe('a chart', () => {
  it.each(charts)('names a method and a value everywhere: %s', (_, configuration) => {
    const chart = drawn(configuration());
    expect([...placesOf(chart)].length).toBeGreaterThan(1000);
    expect(silentPlaces(chart)).toEqual([]);
    chart.destroy();
  });
});
