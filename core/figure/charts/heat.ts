/** Cells with their numbers, coloured by value, with a colour bar; and those of metrics, with the best of each row and the 90 % band framed. */
import {methodTitle} from '../../method/title.ts';
import type {Landscape} from '../../run/compare/landscape.ts';
import {formatMeasure, formatRate} from '../../run/format.ts';
import {lowerIsBetter, type Peak, type RatePoint, unitOf} from '../../run/peak.ts';
import type {Comparison} from '../../run/verdict.ts';
import {margin} from '../composed.ts';
import {type Entry, legendOf, sampleWidth} from '../legend.ts';
import {between, hex, inkOn, rateStops} from '../looks.ts';
import {leftOf, needsUpright, panel, tickSize, underOf} from '../panel.ts';
import {type Axis, linearAxis, logAxis, namesAxis, shortNumber} from '../scales.ts';
import {moved, type Scene, type Shape} from '../scene.ts';
import {textWidth} from '../text-widths.ts';
import {colourBar} from './losses.ts';

export interface Cell {
  row: number;
  column: number;
  /** On the colour scale, 0 = dark … 1 = light. */
  shade: number;
  text: string;
  frame?: 'best' | 'near';
}

export interface Heat {
  rows: {title: string; names: readonly string[]};
  columns: {title: string; names: readonly string[]};
  cells: readonly Cell[];
  /** What the colours mean. */
  scale: {title: string; low: number; high: number; format(value: number): string; axis?: Axis};
}

const rowHeight = 12;

/** Numbers lie in their cells, upright where those are narrow; rows and columns change places where even that is too narrow. */
export function heatFigure(heat: Heat, width: number): Scene {
  const {rows, columns, cells, scale} = heat;
  const room = width - 2 * margin - 2 - leftOf(namesAxis(rows.title, rows.names));
  const cell = room / columns.names.length;
  const longest = Math.max(0, ...cells.map(({text}) => textWidth(text, tickSize)));
  const isUpright = longest + 1.5 > cell;
  if (isUpright && cell < 1.25 * tickSize && columns.names.length > rows.names.length)
    return heatFigure(turned(heat), width);
  const bar = colourBar(scale.title, [scale.low, scale.high], scale.format, width, scale.axis);
  const frames = framesLegend(cells, width);
  const top = bar.height + 3 + (frames ? frames.height + 2 : 0);
  const x = namesAxis(columns.title, columns.names);
  // The first row stands at the top.
  const y = namesAxis(rows.title, rows.names.toReversed());
  const isTurned = needsUpright(x, room);
  const each = isUpright ? Math.max(rowHeight, longest + 4) : rowHeight;
  const height = top + each * rows.names.length + underOf(x, isTurned) + (columns.title === '' ? 5 : 14);
  const framed = panel({
    box: {x: margin, y: top, width: width - 2 * margin, height: height - top - margin},
    x,
    y,
    isBare: true,
    isUpright: isTurned,
  });
  const [w, h] = [framed.inner.width / columns.names.length, framed.inner.height / rows.names.length];
  const boxOf = ({row, column}: Cell) => ({
    x: framed.inner.x + column * w,
    y: framed.inner.y + row * h,
    width: w,
    height: h,
  });
  const drawn = cells.flatMap((one): Shape[] => {
    const box = boxOf(one);
    const colour = between(rateStops, one.shade);
    const [middle, level] = [box.x + w / 2, box.y + h / 2];
    const shift = 0.35 * tickSize;
    const at = isUpright ? ([middle + shift, level] as const) : ([middle, level + shift] as const);
    const text = {kind: 'text', at, text: one.text, size: tickSize, anchor: 'middle', colour: inkOn(colour)} as const;
    return [
      {kind: 'rectangle', box, fill: hex(colour), stroke: '#ffffff', width: 0.4},
      ...(one.text === '' || (isUpright && w < 1.15 * tickSize)
        ? []
        : [isUpright ? {...text, upright: true as const} : text]),
    ];
  });
  const edges = cells.flatMap(one => (one.frame ? frameOf(boxOf(one), one.frame) : []));
  return {
    width,
    height,
    shapes: [
      ...bar.shapes,
      ...(frames ? moved(frames.shapes, margin, bar.height + 3) : []),
      ...drawn,
      ...edges,
      ...framed.shapes,
    ],
  };
}

function turned({rows, columns, cells, scale}: Heat): Heat {
  return {rows: columns, columns: rows, scale, cells: cells.map(one => ({...one, row: one.column, column: one.row}))};
}

/** The best is framed whole, what reaches 90 % of it by dashes. */
function frameOf(
  {x, y, width, height}: {x: number; y: number; width: number; height: number},
  frame: 'best' | 'near',
): Shape[] {
  const inset = 0.7;
  const box = {x: x + inset, y: y + inset, width: width - 2 * inset, height: height - 2 * inset};
  if (frame === 'best')
    return [
      {kind: 'rectangle', box, stroke: '#ffffff', width: 2},
      {kind: 'rectangle', box, stroke: '#000000', width: 1.2},
    ];
  return [
    {kind: 'rectangle', box, stroke: '#ffffff', width: 0.9},
    {kind: 'rectangle', box, stroke: '#000000', width: 0.7, dash: [1.6, 1.4]},
  ];
}

function framesLegend(cells: readonly Cell[], width: number): {shapes: Shape[]; height: number} | null {
  const entry = (label: string, frame: 'best' | 'near'): Entry => ({
    label,
    sample: ([x, y]) => frameOf({x: x + 2, y: y - 3.5, width: sampleWidth - 4, height: 7}, frame),
  });
  const has = (frame: 'best' | 'near'): boolean => cells.some(one => one.frame === frame);
  const entries = [
    ...(has('best') ? [entry('best rate', 'best')] : []),
    ...(has('near') ? [entry('within 90 % of it', 'near')] : []),
  ];
  return entries.length === 0 ? null : legendOf(entries, width - 2 * margin);
}

interface Row {
  name: string;
  points: readonly RatePoint[];
  peak: Peak | null;
}

/** As short as it can be read: `91.4` of a share, `0.083` of a loss. */
export function cellNumber(value: number, metric: string): string {
  const unit = unitOf(metric);
  if (unit === 'share') return (100 * value).toFixed(1);
  if (unit === 'number' || value >= 10) return value.toFixed(1);
  return value < 1e-3 ? String(Number(value.toPrecision(2))) : value.toPrecision(2);
}

/** A metric over learning rates, a row each. `all`: what the colours span. */
export function metricHeat(
  rows: readonly Row[],
  rowTitle: string,
  {task, metric}: {task: string; metric: string},
  all: readonly Row[] = rows,
): Heat {
  const rates = [...new Set(rows.flatMap(({points}) => points.map(({learningRate}) => learningRate)))].sort(
    (a, b) => a - b,
  );
  const means = all.flatMap(({points}) => points.flatMap(({mean}) => mean ?? []));
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const unit = unitOf(metric);
  const isLog = unit === 'loss' && low > 0 && high / low > 3;
  const share = (value: number): number => {
    if (high === low) return 0.5;
    return isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  };
  const isBelow = lowerIsBetter(metric);
  const tick = (value: number): string => (unit === 'share' ? `${shortNumber(100 * value)} %` : shortNumber(value));
  const plain = isLog ? logAxis('', low, high, tick) : linearAxis('', low, high, tick);
  // Light is good, whichever way that lies.
  const axis = isBelow ? {...plain, position: (value: number) => 1 - plain.position(value)} : plain;
  return {
    rows: {title: rowTitle, names: rows.map(({name}) => name)},
    columns: {title: 'learning rate', names: rates.map(formatRate)},
    cells: rows.flatMap(({points, peak}, row) =>
      points.flatMap(({learningRate, mean}): Cell[] => {
        if (mean === null) return [];
        const isBest = peak?.learningRate === learningRate;
        const frame = isBest ? 'best' : peak?.near.includes(learningRate) ? 'near' : undefined;
        const shade = isBelow ? 1 - share(mean) : share(mean);
        return [
          {row, column: rates.indexOf(learningRate), shade, text: cellNumber(mean, metric), ...(frame && {frame})},
        ];
      }),
    ),
    scale: {title: formatMeasure(task, metric), low, high, format: tick, axis},
  };
}

/** All methods of a comparison. */
export function methodsHeat(comparison: Comparison): Heat {
  const rows = comparison.curves.map(({method, points, peak}) => ({name: methodTitle(method), points, peak}));
  return metricHeat(rows, '', comparison);
}

/** One method over learning rate and rank or batch size, in colours that all its landscape's methods share. */
export function landscapeHeat(landscape: Landscape, method: string): Heat {
  const rowsOf = (name: string): Row[] =>
    landscape.methods
      .find(one => one.method === name)!
      .rows.map(({value, points, peak}) => ({name: String(value), points, peak}));
  const all = landscape.methods.flatMap(one => rowsOf(one.method));
  return metricHeat(rowsOf(method), landscape.over, landscape, all);
}

export const heatCaption =
  'Mean over seeds, the lighter the better. Solid frames: best rate of a row; dashed frames: rates whose mean reaches 90 % of the best (of a loss: of which 90 % is no more than the lowest).';
