/** Axes shared by the charts. */
import type {ScaleOptionsByType} from 'chart.js';
import type {ZoomPluginOptions} from 'chartjs-plugin-zoom/types/options';
import {shortNumber} from '../../core/figure/scales.ts';
import {logTicks} from '../../core/figure/ticks.ts';
import {formatMeasure, formatRate} from '../../core/run/format.ts';
import {unitOf} from '../../core/run/peak.ts';
import type {Theme} from '../theme/palette.ts';

type Axis<T extends 'linear' | 'logarithmic'> = {type: T} & DeepPartial<ScaleOptionsByType<T>>;
type DeepPartial<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? {[K in keyof T]?: DeepPartial<T[K]>}
    : T;

/** Drag over a chart, or turn the wheel with Ctrl, to zoom; drag with Shift to move about. */
export const zoomOptions: ZoomPluginOptions = {
  zoom: {drag: {enabled: true, threshold: 6}, wheel: {enabled: true, modifierKey: 'ctrl'}, pinch: {enabled: true}},
  pan: {enabled: true, modifierKey: 'shift'},
};

/** Every chart fills its box and is drawn at once. */
export const frame = {responsive: true, maintainAspectRatio: false, animation: false} as const;

/** Charts of points speak of the nearest one that has a name; markers may stand a little outside the axes. */
export const pointFrame = {...frame, clip: 30, interaction: {mode: 'nearestNamed', intersect: false}} as const;

/** The methods of a chart, above it. */
export const methodLegend = ({text}: Theme) =>
  ({
    position: 'top',
    align: 'start',
    labels: {color: text, usePointStyle: true, boxHeight: 8, padding: 16, font: {size: 13}},
  }) as const;

/** Learning rates from `lowest` to `highest`, a little air at both ends. */
export function rateAxis(theme: Theme, lowest: number, highest: number): Axis<'logarithmic'> {
  return logAxis(theme, 'learning rate', lowest / 1.25, highest * 1.25, formatRate);
}

/** Ticks as `logTicks` has them for the part that is shown, or at `labelled` alone. */
export function logAxis(
  {text, faint, grid}: Theme,
  title: string,
  min: number,
  max: number,
  format: (value: number) => string,
  labelled?: readonly number[],
): Axis<'logarithmic'> {
  return {
    type: 'logarithmic',
    min,
    max,
    title: {display: title !== '', text: title, color: text},
    border: {color: grid},
    grid: {color: grid},
    afterBuildTicks: axis => {
      axis.ticks = (labelled ?? logTicks(axis.min, axis.max)).map(value => ({value}));
    },
    ticks: {color: faint, maxRotation: 0, callback: value => format(Number(value))},
  };
}

export function linearAxis(
  {text, faint, grid}: Theme,
  title: string,
  format: (value: number) => string,
  range: {min?: number; max?: number} = {},
): Axis<'linear'> {
  return {
    type: 'linear',
    ...range,
    title: {display: title !== '', text: title, color: text},
    border: {color: grid},
    grid: {color: grid},
    ticks: {
      color: faint,
      maxRotation: 0,
      maxTicksLimit: 7,
      includeBounds: false,
      callback: value => format(Number(value)),
    },
  };
}

/** Places 0, 1, … of a heat map, each with its label. */
export function placeAxis(theme: Theme, title: string, labels: readonly string[]): Axis<'linear'> {
  const format = (place: number): string => labels[place] ?? '';
  return {
    ...linearAxis(theme, title, format, {min: -0.5, max: labels.length - 0.5}),
    offset: false,
    grid: {display: false},
    afterBuildTicks: axis => {
      axis.ticks = labels.map((_, value) => ({value}));
    },
    ticks: {color: theme.faint, maxRotation: 0, autoSkipPadding: 14, callback: value => format(Number(value))},
  };
}

/** A metric of means with deviations: shares in percent from 0, losses on a log scale. */
export function valueAxis(
  theme: Theme,
  task: string,
  metric: string,
  values: readonly {mean: number | null; std: number | null}[],
): Axis<'linear'> | Axis<'logarithmic'> {
  const title = formatMeasure(task, metric);
  const known = values.flatMap(({mean, std}) => (mean === null ? [] : [{mean, std: std ?? 0}]));
  const lowest = Math.min(...known.map(({mean, std}) => mean - std));
  const highest = Math.max(...known.map(({mean, std}) => mean + std));
  const air = 0.1 * (highest - lowest || Math.abs(highest));
  if (unitOf(metric) === 'loss' && lowest > 0) return logAxis(theme, title, lowest / 1.1, highest * 1.1, shortNumber);
  const format = (value: number): string =>
    unitOf(metric) === 'share' ? `${shortNumber(100 * value)} %` : shortNumber(value);
  return linearAxis(theme, title, format, {min: lowest - air, max: highest + air});
}
