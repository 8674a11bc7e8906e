/** Axes: values to places, and which ticks stand there. */
import {formatRate} from '../run/format.ts';
import {logTicks} from './ticks.ts';

export interface Axis {
  title: string;
  /** Of a value, 0 at the low end … 1 at the high end; beyond for values outside. */
  position(value: number): number;
  ticks: readonly {value: number; label: string}[];
  /** All labels matter, as names do: none is left out. */
  isNamed?: true;
}

export function logAxis(title: string, low: number, high: number, format: (value: number) => string): Axis {
  const [from, to] = low < high ? [low, high] : [low / 2, high * 2];
  return {
    title,
    position: value => Math.log(value / from) / Math.log(to / from),
    ticks: logTicks(from, to).map(value => ({value, label: format(value)})),
  };
}

/** Learning rates with a little air at both ends. */
export function rateAxis(rates: readonly number[]): Axis {
  return logAxis('learning rate', Math.min(...rates) / 1.25, Math.max(...rates) * 1.25, formatRate);
}

export function linearAxis(title: string, low: number, high: number, format: (value: number) => string): Axis {
  const [from, to] = low < high ? [low, high] : [low - 0.5, high + 0.5];
  const step = roundStep((to - from) / 5);
  const ticks: {value: number; label: string}[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) {
    const value = Number((k * step).toPrecision(10));
    ticks.push({value, label: format(value)});
  }
  return {title, position: value => (value - from) / (to - from), ticks};
}

/** Names at 0, 1, …, each in the middle of a part of its own. */
export function namesAxis(title: string, names: readonly string[]): Axis {
  return {
    title,
    position: value => (value + 0.5) / names.length,
    ticks: names.map((label, value) => ({value, label})),
    isNamed: true,
  };
}

/** Values at their places on a log scale, each of them a tick, as of ranks and batch sizes. */
export function valuesAxis(title: string, values: readonly number[]): Axis {
  const axis = logAxis(title, Math.min(...values) / 1.3, Math.max(...values) * 1.3, String);
  return {...axis, ticks: values.map(value => ({value, label: String(value)}))};
}

/** 1, 2 or 5 times a power of ten, about as large. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map(digit => digit * power).find(step => step >= 0.75 * rough)!;
}

/** For ticks: `0.01`, `1`, `1e-7`, `1e6`. */
export function shortNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) < 1e5 ? String(rounded) : rounded.toExponential().replace('+', '');
}
