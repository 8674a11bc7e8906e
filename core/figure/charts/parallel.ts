/** Parallel coordinates: an upright axis for each thing that varies and one for the metric, a line a setting, coloured by how good it is. */
import type {Factor, SettingRow, SettingsTable} from '../../run/compare/settings-table.ts';
import {count, formatMeasure} from '../../run/format.ts';
import {lowerIsBetter} from '../../run/peak.ts';
import {margin} from '../composed.ts';
import {between, hex, rateStops} from '../looks.ts';
import {apart, faintColour, fitting, ink, tickSize, titleSize} from '../panel.ts';
import type {Place, Scene, Shape, Text} from '../scene.ts';
import {ascent, descent, textWidth} from '../text-widths.ts';
import {valueAxis} from './values.ts';

export interface ParallelAxis {
  title: string;
  /** Heights from 0, the low end, to 1. */
  ticks: {at: number; label: string}[];
  /** All labels matter, as names do. */
  isNamed: boolean;
}

export interface ParallelLine {
  row: SettingRow;
  /** Where it crosses each axis. */
  at: number[];
  /** 1 = the best of all, 0 = the worst. */
  goodness: number;
}

export interface Parallel {
  task: string;
  metric: string;
  /** The metric's is the last one. */
  axes: ParallelAxis[];
  /** The best one last, so that it lies upon the others. */
  lines: ParallelLine[];
  /** Settings that are not shown because there are better ones enough. */
  left: number;
}

/** More lines than this are one surface. */
const mostLines = 400;

/** Null with fewer than three things that vary: over two, charts over the rate say it better. */
export function parallelOf({task, metric, factors, rows}: SettingsTable): Parallel | null {
  if (factors.length < 3) return null;
  const isLow = lowerIsBetter(metric);
  const rising = rows.toSorted((a, b) => (isLow ? b.mean - a.mean : a.mean - b.mean));
  const shown = rising.slice(-mostLines);
  const value = valueAxis(
    task,
    metric,
    shown.map(({mean}) => ({mean, std: null})),
  );
  const heights = shown.map(({mean}) => value.position(mean));
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const share = (height: number): number => (high > low ? (height - low) / (high - low) : 0.5);
  return {
    ...{task, metric, left: rows.length - shown.length},
    axes: [
      ...factors.map(factor => ({
        title: factor.title,
        ticks: factor.levels.map((label, place) => ({at: heightOf(place, factor), label})),
        isNamed: hasNames(factor),
      })),
      {
        title: formatMeasure(task, metric),
        ticks: value.ticks.map(tick => ({at: value.position(tick.value), label: tick.label})),
        isNamed: false,
      },
    ],
    lines: shown.map((row, k) => ({
      row,
      at: [...row.places.map((place, factor) => heightOf(place, factors[factor]!)), heights[k]!],
      goodness: isLow ? 1 - share(heights[k]!) : share(heights[k]!),
    })),
  };
}

const hasNames = ({levels}: Factor): boolean => levels.some(label => !Number.isFinite(Number(label)));

/** Numbers rise, names are read from the top. */
function heightOf(place: number, factor: Factor): number {
  const share = place / (factor.levels.length - 1);
  return hasNames(factor) ? 1 - share : share;
}

export function parallelCaption({lines, left}: Parallel): string {
  const some =
    left > 0 ? ` The best ${count(lines.length, 'setting')}; ${left.toLocaleString('en-US')} are left out.` : '';
  return `A line a setting, mean over seeds; the lighter the better.${some}`;
}

const lineHeight = (size: number): number => (ascent + descent) * size + 0.5;

export function parallelFigure({axes, lines}: Parallel, width: number): Scene {
  const isStaggered = axes.some(({title}) => textWidth(title, titleSize) > (width - 60) / axes.length - 6);
  const above = 0.8 * lineHeight(tickSize);
  const top = margin + (isStaggered ? 2 : 1) * lineHeight(titleSize) + above;
  const most = Math.max(...axes.map(({ticks, isNamed}) => (isNamed ? ticks.length : 0)));
  const height = top + Math.max(0.5 * width, (most - 1) * (lineHeight(tickSize) + 1.5)) + 8;
  // Labels stand at the right of their axis.
  const right = Math.max(...axes.at(-1)!.ticks.map(({label}) => textWidth(label, tickSize))) + 5;
  const left = margin + 2;
  const each = (width - left - right) / (axes.length - 1);
  const last = axes.length - 1;
  const lastStart = width - margin - textWidth(axes[last]!.title, titleSize);
  /** Up to the next title of the same row. */
  const roomAbove = (k: number): number => {
    if (k === last) return (isStaggered ? 2 * each : each) + right - 6;
    const next = k + (isStaggered ? 2 : 1);
    const end =
      next < last ? left + next * each : next === last ? Math.max(lastStart, width - margin - roomAbove(last)) : width;
    return end - (left + k * each) - 4;
  };
  const at = (axis: number, share: number): Place => [left + axis * each, top + (1 - share) * (height - top - 8)];
  return {
    width,
    height,
    shapes: [
      ...lines.map(
        ({at: heights, goodness}): Shape => ({
          kind: 'line',
          points: heights.map((share, axis) => at(axis, share)),
          colour: hex(between(rateStops, goodness)),
          width: 0.7,
        }),
      ),
      ...axes.flatMap((axis, k) =>
        drawnAxis(axis, k === last ? Number.POSITIVE_INFINITY : each - 6, share => at(k, share)),
      ),
      ...axes.map(({title}, k): Text => {
        const isLast = k === last;
        const isHigh = isStaggered && (last - k) % 2 === 1;
        const name: Text = {
          kind: 'text',
          at: [
            isLast ? width - margin : at(k, 1)[0] - 1,
            top - above - (isHigh ? lineHeight(titleSize) : 0) - descent * titleSize,
          ],
          text: title,
          size: titleSize,
          anchor: isLast ? 'end' : 'start',
          colour: ink,
        };
        return fitting(name, roomAbove(k));
      }),
    ],
  };
}

function drawnAxis({ticks, isNamed}: ParallelAxis, room: number, at: (share: number) => Place): Shape[] {
  const labels = ticks.map(({at: share, label}): Text => {
    const [x, y] = at(share);
    const own = {at: [x + 3, y + 0.35 * tickSize], text: label, size: tickSize, anchor: 'start'} as const;
    return fitting({kind: 'text', colour: ink, ...own}, room);
  });
  const shown = isNamed ? labels : apart(labels);
  const line: Shape = {kind: 'line', points: [at(0), at(1)], colour: faintColour, width: 0.7};
  return [line, ...shown.map(veil), ...shown];
}

/** Lines shine through under a label, but not so that it is hard to read. */
function veil({at: [x, y], text, size}: Text): Shape {
  const [left, right] = [x - 1, x + textWidth(text, size) + 1];
  const [top, bottom] = [y - ascent * size, y + descent * size];
  return {
    kind: 'area',
    points: [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ],
    fill: '#ffffff',
    opacity: 0.82,
  };
}
