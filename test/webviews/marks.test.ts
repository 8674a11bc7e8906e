/** Where marks of many methods stand. */
import {expect, it} from 'vitest';
import {methodNames} from '../../core/method/methods.ts';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {compare} from '../../core/run/verdict.ts';
import type {Configuration} from '../../webviews/elements.ts';
import {rateChart} from '../../webviews/rate-chart.ts';
import {scanChart} from '../../webviews/scan-section.ts';
import {light} from '../../webviews/theme/palette.ts';
import {toyEvents} from '../core/run/toy-run.ts';

const many = methodNames;

/** How far all marks of a chart are from the nearer end of its vertical axis, as parts of its height. */
function heightsOf({options, data}: Configuration): number[] {
  const {type, min, max} = options!.scales!['y']! as {type: string; min: number; max: number};
  const on = (value: number): number => (type === 'logarithmic' ? Math.log(value) : value);
  return data.datasets.flatMap(({data: points}) =>
    points.flatMap(point => {
      if (!('mark' in point) || point.mark === undefined || point.y === null) return [];
      const height = (on(point.y) - on(min)) / (on(max) - on(min));
      return [Math.min(height, 1 - height)];
    }),
  );
}

it('marks of many methods take a fifth of a chart: of a scan', () => {
  const points = [
    {learningRate: 1e-3, loss: 2},
    {learningRate: 1e-2, loss: null},
  ];
  const scan = {title: 'rank 8', steps: 10, methods: many.map(method => ({method, points}))};
  const heights = heightsOf(scanChart(scan, [1, 4], many, light));
  expect(new Set(heights).size).toBe(many.length);
  expect(Math.max(...heights)).toBeLessThan(0.2);
});

it('marks of many methods take a fifth of a chart: of rates', () => {
  const [one] = compare(foldAll(emptyRun, toyEvents()));
  const [first] = one!.curves;
  const points = first!.points.map(point => ({...point, diverged: 1, scanned: true as const}));
  const curves = many.map(method => ({...first!, method, points}));
  const heights = heightsOf(rateChart({...one!, curves}, light));
  expect(new Set(heights).size).toBeGreaterThanOrEqual(many.length);
  expect(Math.max(...heights)).toBeLessThan(0.2);
});
