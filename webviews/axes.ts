/** Axes shared by the charts. */
import type {ScaleOptionsByType} from 'chart.js';
import type {ZoomPluginOptions} from 'chartjs-plugin-zoom/types/options';
import {formatRate} from '../core/run/format.ts';
import type {Theme} from './theme.ts';

type Axis<T extends 'linear' | 'logarithmic'> = {type: T} & DeepPartial<ScaleOptionsByType<T>>;
type DeepPartial<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? {[K in keyof T]?: DeepPartial<T[K]>}
    : T;

/** Drag over a chart to zoom in, drag with Shift (or the wheel with Ctrl) to move about; a double click shows all. */
export const zoomOptions: ZoomPluginOptions = {
  zoom: {drag: {enabled: true, threshold: 6}, wheel: {enabled: true, modifierKey: 'ctrl'}, pinch: {enabled: true}},
  pan: {enabled: true, modifierKey: 'shift'},
};

/** Learning rates from `lowest` to `highest`, a little air at both ends. */
export function rateAxis(theme: Theme, lowest: number, highest: number): Axis<'logarithmic'> {
  return logAxis(theme, 'learning rate', lowest / 1.25, highest * 1.25, formatRate);
}

/** Labels at the powers of ten; at 1, 2, 5 where there are few of those. */
export function logAxis(
  {text, faint, grid}: Theme,
  title: string,
  min: number,
  max: number,
  format: (value: number) => string,
): Axis<'logarithmic'> {
  const few = Math.log10(max / min) < 2.2;
  return {
    type: 'logarithmic',
    min,
    max,
    title: {display: title !== '', text: title, color: text},
    border: {color: grid},
    grid: {color: grid},
    ticks: {
      color: faint,
      maxRotation: 0,
      callback: value => {
        const digit = Number(Number(value).toExponential(3).split('e')[0]);
        return digit === 1 || (few && (digit === 2 || digit === 5)) ? format(Number(value)) : null;
      },
    },
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

/** For ticks: `0.01`, `1`, `1e-7`. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
