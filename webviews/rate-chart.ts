/** A metric over the learning rate: one line a method, a band of ± one standard deviation, the peak ringed. */
import type {ChartConfiguration, ChartDataset} from 'chart.js';
import {formatMean, formatMeasure, formatRate} from '../core/run/format.ts';
import {type MethodCurve, type RatePoint, unitOf} from '../core/run/peak.ts';
import {formatPlaceShortly} from '../core/run/verdict/place.ts';
import type {Comparison} from '../core/run/verdict.ts';
import {linearAxis, logAxis, methodLegend, pointFrame, rateAxis, shortNumber, zoomOptions} from './axes.ts';
import type {BarPoint, Point} from './elements.ts';
import {methodColour, methodShape, type Theme, translucent} from './theme.ts';

type Line = ChartDataset<'line', Point[]>;

/** The axes of a comparison, and what its points may not leave. */
function frameOf({curves, metric, task}: Comparison, theme: Theme) {
  const unit = unitOf(metric);
  const isLoss = unit === 'loss';
  const points = curves.flatMap(curve => curve.points);
  const rates = points.map(point => point.learningRate);
  const means = points.flatMap(point => point.mean ?? []);
  const highest = Math.max(...points.map(upper));
  const ceiling = {loss: 1.5 * highest, share: 1.06, number: 1.06 * highest}[unit];
  const floor = isLoss ? Math.min(...means) / 1.3 : Math.min(0, ...means);
  const bounds: Bounds = {low: floor, high: ceiling, top: unit === 'share' ? 1 : ceiling, isLoss};
  const name = formatMeasure(task, metric);
  const tick = (value: number): string => (unit === 'share' ? `${Math.round(100 * value)} %` : shortNumber(value));
  const y = isLoss
    ? logAxis(theme, name, floor, ceiling, shortNumber)
    : linearAxis(theme, name, tick, {min: floor, max: ceiling});
  return {bounds, scales: {x: rateAxis(theme, Math.min(...rates), Math.max(...rates)), y}};
}

/** The same with bars instead of bands, those of different methods beside each other. */
export function rateBars(comparison: Comparison, theme: Theme): ChartConfiguration<'lineWithErrorBars', BarPoint[]> {
  const {curves, metric} = comparison;
  const {bounds, scales} = frameOf(comparison, theme);
  const shown = curves.map(({points}) =>
    points.flatMap(point => (point.mean === null ? [] : [{point, mean: point.mean}])),
  );
  const beside = (rate: number, place: number): number => rate * 1.02 ** (place - (curves.length - 1) / 2);
  const within = (value: number): number => Math.min(bounds.top, Math.max(bounds.low, value));
  return {
    type: 'lineWithErrorBars',
    data: {
      datasets: curves.map(({method, peak}, place) => {
        const colour = methodColour(theme, place);
        return {
          label: peak ? `${method}, best at ${formatPlaceShortly(peak)}` : method,
          data: shown[place]!.map(({point: {learningRate, std}, mean}) => ({
            ...{at: learningRate, x: beside(learningRate, place), y: mean},
            ...{yMin: within(mean - (std ?? 0)), yMax: within(mean + (std ?? 0))},
          })),
          borderColor: colour,
          backgroundColor: colour,
          errorBarColor: colour,
          errorBarWhiskerColor: colour,
          borderWidth: 1.6,
          ...methodShape(place),
          pointRadius: shown[place]!.map(({point}) => (point.learningRate === peak?.learningRate ? 7 : 3)),
        };
      }),
    },
    options: {
      ...pointFrame,
      scales,
      plugins: {
        zoom: zoomOptions,
        legend: methodLegend(theme),
        tooltip: {
          callbacks: {
            title: ([item]) => {
              const point = shown[item?.datasetIndex ?? -1]?.[item?.dataIndex ?? -1]?.point;
              return point ? `learning rate ${formatRate(point.learningRate)}` : '';
            },
            label: ({datasetIndex, dataIndex}) => {
              const point = shown[datasetIndex]?.[dataIndex]?.point;
              return point ? ` ${curves[datasetIndex]?.method}: ${inWords(point, metric)}` : '';
            },
          },
        },
      },
    },
  };
}

export function rateChart(comparison: Comparison, theme: Theme): ChartConfiguration<'line', Point[]> {
  const {curves, metric} = comparison;
  const {bounds, scales} = frameOf(comparison, theme);
  const lines = curves.map((curve, place) =>
    linesOf(curve, place, nestingOf(curve, curves.slice(0, place)), bounds, theme),
  );
  // Line, band and crosses of one method belong together: the legend switches all of them.
  const owners = lines.flatMap((own, place) => own.map(() => curves[place]!));
  return {
    type: 'line',
    data: {datasets: lines.flat()},
    options: {
      ...pointFrame,
      scales,
      plugins: {
        zoom: zoomOptions,
        legend: {
          ...methodLegend(theme),
          labels: {
            ...methodLegend(theme).labels,
            filter: ({datasetIndex}, {datasets}) => datasets[datasetIndex ?? -1]?.label !== '',
          },
          onClick: (_, {datasetIndex = -1}, {chart}) => {
            const visible = !chart.isDatasetVisible(datasetIndex);
            owners.forEach((owner, k) => {
              if (owner === owners[datasetIndex]) chart.setDatasetVisibility(k, visible);
            });
            chart.update();
          },
        },
        tooltip: {
          filter: ({dataset}) => dataset.label !== '',
          callbacks: {
            title: items => `learning rate ${formatRate(items[0]?.parsed.x ?? 0)}`,
            label: ({datasetIndex, parsed}) => {
              const {method, points} = owners[datasetIndex]!;
              const point = points.find(({learningRate}) => learningRate === parsed.x);
              return point ? ` ${method}: ${inWords(point, metric)}` : '';
            },
          },
        },
      },
    },
  };
}

function inWords({mean, std, seeds, diverged}: RatePoint, metric: string): string {
  const value = mean === null ? '' : `${formatMean(mean, std, metric)} (${seeds} seed${seeds === 1 ? '' : 's'})`;
  return [value, diverged > 0 ? `${diverged} diverged` : ''].filter(Boolean).join(', ');
}

function upper({mean, std}: RatePoint): number {
  return (mean ?? 0) + (std ?? 0);
}

/** Crosses stand at the bad edge of the plot, one above the other where several methods diverge at a rate. */
function crossAt(place: number, {low, high, isLoss}: Bounds): number {
  return isLoss ? high / (high / low) ** (0.03 * place) : low + 0.03 * (high - low) * place;
}

/** Peaks at one rate lie upon each other: each further one gets a larger ring around those before it. */
function nestingOf({peak}: MethodCurve, before: MethodCurve[]): number {
  return before.filter(curve => curve.peak && curve.peak.learningRate === peak?.learningRate).length;
}

interface Bounds {
  low: number;
  high: number;
  /** Nothing can lie above it. */
  top: number;
  isLoss: boolean;
}

function linesOf(
  {method, points, peak}: MethodCurve,
  place: number,
  nesting: number,
  bounds: Bounds,
  theme: Theme,
): Line[] {
  const ring = 7 + 5 * nesting;
  const colour = methodColour(theme, place);
  const isPeak = points.map(point => point.learningRate === peak?.learningRate);
  const within = (value: number): number => Math.min(bounds.top, Math.max(bounds.low, value));
  const at = (y: (point: RatePoint) => number | null): Point[] =>
    points.map(point => ({x: point.learningRate, y: point.mean === null ? null : y(point)}));
  const edge = {label: '', borderWidth: 0, pointRadius: 0, pointHitRadius: 0, order: 2};
  const lines: Line[] = [
    {
      label: peak ? `${method}, best at ${formatPlaceShortly(peak)}` : method,
      data: at(point => point.mean),
      borderColor: colour,
      backgroundColor: colour,
      borderWidth: 2,
      ...methodShape(place),
      pointRadius: isPeak.map(peaked => (peaked ? ring : 3)),
      pointHoverRadius: isPeak.map(peaked => (peaked ? ring + 1 : 5)),
      pointBackgroundColor: isPeak.map(peaked => (peaked ? theme.surface : colour)),
      pointBorderColor: colour,
      pointBorderWidth: isPeak.map(peaked => (peaked ? 2.5 : 1)),
      order: 1,
    },
    {...edge, data: at(point => within((point.mean ?? 0) - (point.std ?? 0)))},
    {...edge, data: at(point => within(upper(point))), fill: '-1', backgroundColor: translucent(colour, 0.14)},
  ];
  const diverged = points.filter(point => point.diverged > 0);
  if (diverged.length > 0) {
    lines.push({
      label: '',
      data: diverged.map(point => ({x: point.learningRate, y: crossAt(place, bounds)})),
      showLine: false,
      pointStyle: 'crossRot',
      pointRadius: 6,
      pointBorderWidth: 2,
      pointBorderColor: colour,
      order: 0,
    });
  }
  return lines;
}
