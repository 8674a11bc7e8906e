/** A metric over the learning rate: one line a method, a band of ± one standard deviation, the peak ringed; a search's as `rate-lines` says. */
import type {Chart, ChartConfiguration, ChartDataset, LegendItem} from 'chart.js';
import {shortNumber} from '../core/figure/scales.ts';
import {methodTitle} from '../core/method/title.ts';
import {formatMean, formatMeasure, formatRate} from '../core/run/format.ts';
import {type MethodCurve, type RatePoint, unitOf} from '../core/run/peak.ts';
import type {Comparison} from '../core/run/verdict.ts';
import {linearAxis, logAxis, methodLegend, pointFrame, rateAxis, zoomOptions} from './axes/axes.ts';
import type {BarPoint, Point} from './elements.ts';
import {type Bounds, isFilled, legendName, linesOf, marksAt, roomForMarks, upper, within} from './rate-lines.ts';
import {dashOf, methodColour, shapeWithBars, type Theme} from './theme/palette.ts';

/** The axes of a comparison, and what its points may not leave. */
function frameOf({curves, metric, task}: Comparison, theme: Theme) {
  const unit = unitOf(metric);
  const isLoss = unit === 'loss';
  const points = curves.flatMap(curve => curve.points);
  const rates = points.map(point => point.learningRate);
  const means = points.flatMap(point => point.mean ?? []);
  const highest = Math.max(...points.map(upper));
  const ceiling = {loss: 1.5 * highest, share: 1.06, change: Math.max(0, 1.06 * highest), number: 1.06 * highest}[unit];
  const lowest = isLoss ? Math.min(...means) / 1.3 : Math.min(0, ...means);
  const isMarked = isLoss && points.some(({scanned}) => scanned);
  const floor = isMarked ? lowest / (ceiling / lowest) ** roomForMarks(curves.length) : lowest;
  const bounds: Bounds = {
    low: floor,
    high: ceiling,
    top: unit === 'share' ? 1 : ceiling,
    isLoss,
    methods: curves.length,
  };
  const name = formatMeasure(task, metric);
  const tick = (value: number): string => (unit === 'share' ? `${Math.round(100 * value)} %` : shortNumber(value));
  const y = isLoss
    ? logAxis(theme, name, floor, ceiling, shortNumber)
    : linearAxis(theme, name, tick, {min: floor, max: ceiling});
  return {bounds, scales: {x: rateAxis(theme, Math.min(...rates), Math.max(...rates)), y}};
}

/** A point was pressed: of which method, at which rate. */
export type PressedPoint = (method: string, rate: number) => void;

type Bars = ChartDataset<'lineWithErrorBars', BarPoint[]>;

/** The same with bars instead of bands, those of different methods beside each other. */
export function rateBars(
  comparison: Comparison,
  theme: Theme,
  press: PressedPoint = () => {},
): ChartConfiguration<'lineWithErrorBars', BarPoint[]> {
  const {curves, metric} = comparison;
  const {bounds, scales} = frameOf(comparison, theme);
  const bars = curves.map((curve, place) => {
    const beside = (rate: number): number => rate * 1.02 ** (place - (curves.length - 1) / 2);
    return barsOf(curve, place, {bounds, beside}, theme);
  });
  const owners = ownersOf(bars, curves);
  return {
    type: 'lineWithErrorBars',
    data: {datasets: bars.flat()},
    options: {
      ...pointFrame,
      scales,
      onClick: (_, [nearest]) => {
        if (!nearest) return;
        const at = bars.flat()[nearest.datasetIndex]?.data[nearest.index]?.at;
        if (at !== undefined) press(owners[nearest.datasetIndex]!.method, at);
      },
      plugins: {
        zoom: zoomOptions,
        legend: legendOf(owners, theme),
        tooltip: {
          callbacks: {
            title: ([item]) => {
              const bar = item && bars.flat()[item.datasetIndex]?.data[item.dataIndex];
              return bar ? `learning rate ${formatRate(bar.at)}` : '';
            },
            label: ({datasetIndex, dataIndex}) =>
              spoken(owners[datasetIndex]!, bars.flat()[datasetIndex]?.data[dataIndex]?.at, metric),
          },
        },
      },
    },
  };
}

/** The line of a method is the first; its marks belong to it. */
function barsOf(
  curve: MethodCurve,
  place: number,
  {bounds, beside}: {bounds: Bounds; beside: (rate: number) => number},
  theme: Theme,
): Bars[] {
  const colour = methodColour(theme, curve.method);
  const shown = curve.points.flatMap((point, at) => (point.mean === null ? [] : [{point, at, mean: point.mean}]));
  // One seed knows no deviation: a bar of no length would call it nought.
  const noise = shown.map(({point}) => (point.std === null ? 'transparent' : colour));
  const line: Bars = {
    label: legendName(curve),
    data: shown.map(({point: {learningRate, std}, mean}) => ({
      ...{at: learningRate, x: beside(learningRate), y: mean},
      ...{yMin: within(mean - (std ?? 0), bounds), yMax: within(mean + (std ?? 0), bounds)},
    })),
    borderColor: colour,
    errorBarColor: noise,
    errorBarWhiskerColor: noise,
    borderWidth: 1.6,
    borderDash: dashOf(curve.method),
    // Nothing is known of a rate between two that have no value, or were scanned only.
    segment: {
      borderColor: ({p0DataIndex, p1DataIndex}) =>
        shown[p1DataIndex]!.at - shown[p0DataIndex]!.at > 1 ? 'transparent' : undefined,
    },
    backgroundColor: shown.map(({point}) => (isFilled(curve, point) ? colour : theme.surface)),
    ...shapeWithBars(
      curve.method,
      shown.map(({point}) => (point.learningRate === curve.peak?.learningRate ? 7 : 3)),
    ),
  };
  const marks = marksAt(curve, place, bounds, theme).map(
    ({points, style}): Bars => ({
      label: methodTitle(curve.method),
      data: points.map(({learningRate, y, mark}) => ({
        ...{at: learningRate, x: beside(learningRate), y, yMin: y, yMax: y, mark},
      })),
      showLine: false,
      ...style,
      errorBarColor: 'transparent',
      errorBarWhiskerColor: 'transparent',
    }),
  );
  return [line, ...marks];
}

export function rateChart(
  comparison: Comparison,
  theme: Theme,
  press: PressedPoint = () => {},
): ChartConfiguration<'line', Point[]> {
  const {curves, metric} = comparison;
  const {bounds, scales} = frameOf(comparison, theme);
  const lines = curves.map((curve, place) =>
    linesOf(curve, place, nestingOf(curve, curves.slice(0, place), bounds), bounds, theme),
  );
  const owners = ownersOf(lines, curves);
  return {
    type: 'line',
    data: {datasets: lines.flat()},
    options: {
      ...pointFrame,
      scales,
      onClick: (_, [nearest]) => {
        const at = nearest && lines.flat()[nearest.datasetIndex]?.data[nearest.index]?.x;
        if (nearest && at !== undefined) press(owners[nearest.datasetIndex]!.method, at);
      },
      plugins: {
        zoom: zoomOptions,
        legend: legendOf(owners, theme),
        tooltip: {
          callbacks: {
            title: items => `learning rate ${formatRate(items[0]?.parsed.x ?? 0)}`,
            label: ({datasetIndex, parsed}) => spoken(owners[datasetIndex]!, parsed.x ?? undefined, metric),
          },
        },
      },
    },
  };
}

/** Line, band and marks of one method belong together: of each data set, the method. */
function ownersOf(sets: readonly (readonly unknown[])[], curves: readonly MethodCurve[]): MethodCurve[] {
  return sets.flatMap((own, place) => own.map(() => curves[place]!));
}

type Switched = Pick<Chart, 'isDatasetVisible' | 'setDatasetVisibility' | 'update'>;

/** Names of more methods would leave the plot no room; the table below has them with their colours. */
const mostInLegend = 24;

/** Names each method once, and switches all that belongs to it. */
function legendOf(owners: readonly MethodCurve[], theme: Theme) {
  const legend = methodLegend(theme);
  return {
    ...legend,
    display: new Set(owners).size <= mostInLegend,
    labels: {
      ...legend.labels,
      filter: ({datasetIndex = -1}: LegendItem) => owners.indexOf(owners[datasetIndex]!) === datasetIndex,
    },
    onClick: (_: unknown, {datasetIndex = -1}: LegendItem, {chart}: {chart: Switched}) => {
      const visible = !chart.isDatasetVisible(datasetIndex);
      owners.forEach((owner, k) => {
        if (owner === owners[datasetIndex]) chart.setDatasetVisibility(k, visible);
      });
      chart.update();
    },
  };
}

function spoken({method, points}: MethodCurve, rate: number | undefined, metric: string): string {
  const point = points.find(({learningRate}) => learningRate === rate);
  return point ? ` ${methodTitle(method)}: ${inWords(point, metric)}` : '';
}

function inWords({mean, std, seeds, diverged, scanned}: RatePoint, metric: string): string {
  const value = mean === null ? '' : `${formatMean(mean, std, metric)} (${seeds} seed${seeds === 1 ? '' : 's'})`;
  return [value, diverged > 0 ? `${diverged} diverged` : '', scanned ? 'scanned only' : ''].filter(Boolean).join(', ');
}

/** Rings that one can still tell from each other. */
const mostRings = 4;

/** Peaks of one rate and about one height lie upon each other: each further one gets a larger ring around those before it. */
function nestingOf({peak}: MethodCurve, before: MethodCurve[], {low, high, isLoss}: Bounds): number {
  if (!peak) return 0;
  const height = (value: number): number =>
    isLoss ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const isUpon = ({peak: other}: MethodCurve): boolean =>
    other?.learningRate === peak.learningRate && Math.abs(height(other.mean) - height(peak.mean)) < 0.04;
  return Math.min(mostRings, before.filter(isUpon).length);
}
