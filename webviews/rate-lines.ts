/** What is drawn of one method over the learning rate: its line, its noise, and marks where there is no value. */
import type {ChartDataset} from 'chart.js';
import {methodTitle} from '../core/method/title.ts';
import type {MethodCurve, RatePoint} from '../core/run/peak.ts';
import {formatPlaceShortly} from '../core/run/verdict/place.ts';
import type {Point} from './elements.ts';
import {dashOf, methodColour, methodShape, type Theme, translucent} from './theme/palette.ts';

export type Line = ChartDataset<'line', Point[]>;

/** What points may not leave. */
export interface Bounds {
  low: number;
  high: number;
  /** Nothing can lie above it. */
  top: number;
  isLoss: boolean;
  /** How many there are. */
  methods: number;
}

/** The height of a row of marks, a row a method, as a part of the plot's: all of them together take no more than a fifth. */
export const rowOf = (methods: number): number => Math.min(0.03, 0.2 / (methods + 1));

export function within(value: number, {low, top}: Bounds): number {
  return Math.min(top, Math.max(low, value));
}

export function upper({mean, std}: RatePoint): number {
  return (mean ?? 0) + (std ?? 0);
}

export function legendName({method, peak}: MethodCurve): string {
  const name = methodTitle(method);
  return peak ? `${name}, best at ${formatPlaceShortly(peak)}` : name;
}

/** A search trains most rates with no seed or one: where it did more is seen, and which rate it chose. */
export function isSearched({found}: MethodCurve): boolean {
  return found !== undefined && found !== 'grid';
}

/** Whole trainings of one seed are hollow in a search; where no point is, the legend looks for a colour. */
export function isFilled(curve: MethodCurve, {learningRate, mean, seeds, diverged}: RatePoint): boolean {
  if (!isSearched(curve) || mean === null) return true;
  return learningRate === curve.peak?.learningRate || seeds + diverged > 1;
}

/** The line of a method is the first; all others belong to it. */
export function linesOf(curve: MethodCurve, place: number, nesting: number, bounds: Bounds, theme: Theme): Line[] {
  const line = isSearched(curve) ? searchedLine(curve, theme) : griddedLine(curve, nesting, theme);
  const noise = isSearched(curve) ? spans(curve, bounds, theme) : band(curve, bounds, theme);
  return [line, ...noise, ...marksOf(curve, place, bounds, theme)];
}

/** The best rate is ringed. */
function griddedLine(curve: MethodCurve, nesting: number, theme: Theme): Line {
  const ring = 7 + 5 * nesting;
  const colour = methodColour(theme, curve.method);
  const isPeak = peaksOf(curve);
  return {
    ...lineBase(curve, theme),
    pointRadius: isPeak.map(peaked => (peaked ? ring : 3)),
    pointHoverRadius: isPeak.map(peaked => (peaked ? ring + 1 : 5)),
    pointBackgroundColor: isPeak.map(peaked => (peaked ? theme.surface : colour)),
    pointBorderWidth: isPeak.map(peaked => (peaked ? 2.5 : 1)),
  };
}

/** The chosen rate is large and filled. */
function searchedLine(curve: MethodCurve, theme: Theme): Line {
  const colour = methodColour(theme, curve.method);
  const isPeak = peaksOf(curve);
  return {
    ...lineBase(curve, theme),
    borderWidth: 1.4,
    pointRadius: isPeak.map(peaked => (peaked ? 7 : 4)),
    pointHoverRadius: isPeak.map(peaked => (peaked ? 8 : 5)),
    pointBackgroundColor: curve.points.map(point => (isFilled(curve, point) ? colour : theme.surface)),
    pointBorderWidth: 1.6,
  };
}

function lineBase(curve: MethodCurve, theme: Theme): Line {
  const colour = methodColour(theme, curve.method);
  return {
    label: legendName(curve),
    data: at(curve, point => point.mean),
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    borderDash: dashOf(curve.method),
    ...methodShape(curve.method),
    pointBorderColor: colour,
    order: 1,
  };
}

const unseen = {label: '', pointRadius: 0, pointHitRadius: 0, order: 2} as const;

/** Two invisible edges and what lies between them. */
function band(curve: MethodCurve, bounds: Bounds, theme: Theme): Line[] {
  const edge = {...unseen, borderWidth: 0};
  const backgroundColor = translucent(methodColour(theme, curve.method), 0.14);
  return [
    {...edge, data: at(curve, point => within((point.mean ?? 0) - (point.std ?? 0), bounds))},
    {...edge, data: at(curve, point => within(upper(point), bounds)), fill: '-1', backgroundColor},
  ];
}

/** An upright line at each rate with several seeds: between rates of a search nothing is known. */
function spans(curve: MethodCurve, bounds: Bounds, theme: Theme): Line[] {
  const data = curve.points.flatMap(({learningRate: x, mean, std}): Point[] => {
    if (mean === null || std === null) return [];
    return [
      {x, y: within(mean - std, bounds)},
      {x, y: within(mean + std, bounds)},
      {x, y: null},
    ];
  });
  return [{...unseen, data, borderColor: methodColour(theme, curve.method), borderWidth: 2}];
}

function at({points}: MethodCurve, y: (point: RatePoint) => number | null): Point[] {
  return points.map(point => ({x: point.learningRate, y: point.mean === null ? null : y(point)}));
}

function peaksOf({points, peak}: MethodCurve): boolean[] {
  return points.map(({learningRate}) => learningRate === peak?.learningRate);
}

/** One kind of marks at the edge of a plot. */
export interface Marks {
  points: {learningRate: number; y: number; mark: string}[];
  /** Of points; without a prefix, which points with error bars do not know. */
  style: {
    pointStyle: 'crossRot' | 'line';
    rotation: number;
    radius: number;
    hoverRadius: number;
    borderWidth: number;
    hoverBorderWidth: number;
    borderColor: string;
  };
}

/** Crosses where a seed diverged, slanted ticks where nothing but a scan was; of several methods one above the other. */
export function marksAt(curve: MethodCurve, place: number, bounds: Bounds, theme: Theme): Marks[] {
  const common = {borderColor: methodColour(theme, curve.method), hoverBorderWidth: 2};
  const marks = (of: RatePoint[], y: number, mark: string) => of.map(({learningRate}) => ({learningRate, y, mark}));
  const diverged = curve.points.filter(point => point.diverged > 0);
  const scanned = curve.points.filter(point => point.scanned);
  return [
    {
      points: marks(diverged, crossAt(place, bounds), 'diverged'),
      style: {...common, pointStyle: 'crossRot' as const, rotation: 0, radius: 6, hoverRadius: 7, borderWidth: 2},
    },
    {
      points: marks(scanned, tickAt(place, bounds), 'scanned only'),
      style: {...common, pointStyle: 'line' as const, rotation: -60, radius: 5, hoverRadius: 7, borderWidth: 1.6},
    },
  ].filter(({points}) => points.length > 0);
}

function marksOf(curve: MethodCurve, place: number, bounds: Bounds, theme: Theme): Line[] {
  return marksAt(curve, place, bounds, theme).map(({points, style}) => ({
    label: methodTitle(curve.method),
    data: points.map(({learningRate, y, mark}) => ({x: learningRate, y, mark})),
    showLine: false,
    ...style,
    order: 0,
  }));
}

/** At the bad edge of the plot. */
function crossAt(place: number, bounds: Bounds): number {
  const {low, high, isLoss, methods} = bounds;
  return isLoss ? high / (high / low) ** (rowOf(methods) * place) : tickAt(place, bounds);
}

/** At the bottom. */
function tickAt(place: number, {low, high, isLoss, methods}: Bounds): number {
  const row = rowOf(methods);
  return isLoss ? low * (high / low) ** (row * (place + 0.5)) : low + row * (high - low) * place;
}

/** Room below the lowest value for the marks of so many methods. */
export function roomForMarks(methods: number): number {
  return rowOf(methods) * (methods + 1);
}
