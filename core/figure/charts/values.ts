/** Axes of metrics, and marks that charts have in common. */
import {formatMeasure} from '../../run/format.ts';
import {unitOf} from '../../run/peak.ts';
import type {Look} from '../looks.ts';
import {type Axis, linearAxis, logAxis, shortNumber} from '../scales.ts';
import type {Box, Marker, Place, Shape} from '../scene.ts';

export interface Measured {
  mean: number | null;
  std: number | null;
}

/** A metric of means with deviations: shares in percent, losses on a log scale. `room`: parts of the height that marks need beyond them. */
export function valueAxis(
  task: string,
  metric: string,
  values: readonly Measured[],
  room: {below: number; above: number} = {below: 0, above: 0},
): Axis {
  const known = values.flatMap(({mean, std}) => (mean === null ? [] : [{mean, std: std ?? 0}]));
  const unit = unitOf(metric);
  const title = formatMeasure(task, metric);
  const lowest = Math.min(...known.map(({mean, std}) => mean - std));
  const highest = Math.max(...known.map(({mean, std}) => mean + std));
  if (unit === 'loss' && Math.min(...known.map(({mean}) => mean)) > 0) {
    // A deviation as large as the mean has no place on a log scale.
    const low = Math.min(...known.map(({mean, std}) => (mean > std ? mean - std : mean / 2)));
    const [from, to] = [Math.log(low / 1.1), Math.log(highest * 1.15)];
    const [bottom, top] = widened(from, to, room);
    return logAxis(title, Math.exp(bottom), Math.exp(top), shortNumber);
  }
  const pad = 0.06 * (highest - lowest || Math.abs(highest) || 1);
  const format = (value: number): string => (unit === 'share' ? `${shortNumber(100 * value)} %` : shortNumber(value));
  // Deviations may reach beyond what there is; markers have room to stand at its ends.
  const floor = known.every(({mean}) => mean >= 0) ? -pad : Number.NEGATIVE_INFINITY;
  const ceiling = unit === 'share' ? 1 + pad : Number.POSITIVE_INFINITY;
  const [bottom, top] = widened(Math.max(lowest - pad, floor), Math.min(highest + pad, ceiling), room);
  return linearAxis(title, bottom, top, format);
}

function widened(low: number, high: number, {below, above}: {below: number; above: number}): [number, number] {
  const whole = (high - low) / (1 - below - above);
  return [low - below * whole, high + above * whole];
}

export function markerOf(at: Place, {marker, colour}: Look, radius = 2): Marker {
  return {kind: 'marker', at, shape: marker, radius, stroke: colour, fill: colour, width: 0.8};
}

/** An upright bar with ends, cut to the plot. */
export function errorBar(x: number, from: number, to: number, colour: string, inner: Box): Shape[] {
  const inside = (y: number): number => Math.min(inner.y + inner.height, Math.max(inner.y, y));
  const line = (points: Place[]): Shape => ({kind: 'line', points, colour, width: 0.7});
  return [
    line([
      [x, inside(from)],
      [x, inside(to)],
    ]),
    ...[from, to]
      .filter(y => y === inside(y))
      .map(y =>
        line([
          [x - 1.5, y],
          [x + 1.5, y],
        ]),
      ),
  ];
}

/** Runs of points without a gap. */
export function unbroken<T>(points: readonly (T | null)[]): T[][] {
  const runs: T[][] = [[]];
  for (const point of points) {
    if (point === null) runs.push([]);
    else runs.at(-1)!.push(point);
  }
  return runs.filter(run => run.length > 0);
}
