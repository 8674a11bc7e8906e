/** Each method at its own best rate: mean, deviation over seeds, interval of the mean; and the same over a condition. */
import {methodTitle} from '../../method/title.ts';
import {conditionsInWords} from '../../run/compare/conditions.ts';
import type {Landscape} from '../../run/compare/landscape.ts';
import {formatMean, formatMeasure} from '../../run/format.ts';
import type {Peak} from '../../run/peak.ts';
import {meanHalfWidth} from '../../run/verdict/mean-interval.ts';
import type {Comparison} from '../../run/verdict.ts';
import {composed, margin} from '../composed.ts';
import {methodEntry} from '../legend.ts';
import type {Look} from '../looks.ts';
import {ink, leftOf, panel, tickSize} from '../panel.ts';
import {type Axis, namesAxis, valuesAxis} from '../scales.ts';
import type {Scene, Shape} from '../scene.ts';
import {textWidth} from '../text-widths.ts';
import {errorBar, markerOf, valueAxis} from './values.ts';

/** A row a method: a point with ± one standard deviation (wide) and the 95 % interval of the mean (thin), its number beside it. */
export function peaksFigure(
  {curves, task, metric}: Comparison,
  looks: ReadonlyMap<string, Look>,
  width: number,
): Scene {
  const peaks = curves.flatMap(({peak}) => peak ?? []).toReversed();
  const numbers = peaks.map(({mean, std}) => formatMean(mean, std, metric));
  const beside = Math.max(...numbers.map(text => textWidth(text, tickSize))) + 5;
  const reach = ({mean, std, seeds}: Peak) => ({mean, std: Math.max(std ?? 0, meanHalfWidth({std, seeds}) ?? 0)});
  const x = valueAxis(task, metric, peaks.map(reach));
  const y = namesAxis(
    '',
    peaks.map(({method}) => methodTitle(method)),
  );
  const height = 13 * peaks.length + 28;
  const framed = panel({
    box: {x: margin, y: margin, width: width - beside - 2 * margin, height: height - 2 * margin},
    x,
    y,
  });
  const drawn = peaks.flatMap((peak, k) => {
    const look = looks.get(peak.method)!;
    const [middle, level] = framed.at(peak.mean, k);
    const half = meanHalfWidth(peak);
    const span = (by: number | null, thickness: number): Shape[] =>
      by === null
        ? []
        : [
            {
              kind: 'line',
              points: [framed.at(peak.mean - by, k), framed.at(peak.mean + by, k)],
              colour: look.colour,
              width: thickness,
              within: framed.inner,
            },
          ];
    const number: Shape = {
      kind: 'text',
      at: [framed.inner.x + framed.inner.width + 4, level + 0.35 * tickSize],
      text: numbers[k]!,
      size: tickSize,
      anchor: 'start',
      colour: ink,
    };
    return [...span(half, 0.7), ...span(peak.std, 2), markerOf([middle, level], look, 2.8), number];
  });
  return {width, height, shapes: [...framed.shapes, ...drawn]};
}

export const peaksCaption =
  'Each method at its own best rate: mean over seeds; wide bars: ± one standard deviation; thin bars: 95 % confidence interval of the mean.';

interface Series {
  method: string;
  /** Places on the x axis. */
  peaks: {value: number; peak: Peak}[];
}

/** Peaks over rank or batch size. */
export function peaksOverFigure(
  {methods, values, over, task, metric}: Landscape,
  looks: ReadonlyMap<string, Look>,
  width: number,
): Scene {
  const series = methods.map(({method, rows}) => ({
    method,
    peaks: rows.flatMap(({value, peak}) => (peak ? [{value, peak}] : [])),
  }));
  return seriesFigure(series, valuesAxis(over, values), {task, metric}, looks, width);
}

/** Peaks over whatever tells comparisons of one metric apart, in the order of the sweep. */
export function conditionsFigure(
  comparisons: readonly Comparison[],
  looks: ReadonlyMap<string, Look>,
  width: number,
): Scene {
  const {task, metric} = comparisons[0]!;
  const methods = [...new Set(comparisons.flatMap(({curves}) => curves.map(({method}) => method)))];
  const series = methods.map(method => ({
    method,
    peaks: comparisons.flatMap(({curves}, value) => {
      const peak = curves.find(curve => curve.method === method)?.peak;
      return peak ? [{value, peak}] : [];
    }),
  }));
  return seriesFigure(series, namesAxis('', differences(comparisons)), {task, metric}, looks, width);
}

/** Of each what the others do not have: `rank 8, weight decay 0.1`. */
export function differences(comparisons: readonly Comparison[]): string[] {
  const parts = comparisons.map(one => conditionsInWords(one).split(', '));
  const isShared = (part: string): boolean => parts.every(own => own.includes(part));
  return parts.map(own => own.filter(part => !isShared(part)).join(', '));
}

function seriesFigure(
  series: readonly Series[],
  x: Axis,
  {task, metric}: {task: string; metric: string},
  looks: ReadonlyMap<string, Look>,
  width: number,
): Scene {
  const y = valueAxis(
    task,
    metric,
    series.flatMap(({peaks}) => peaks.map(({peak}) => peak)),
  );
  const names = x.isNamed ? Math.max(0, ...x.ticks.map(({label}) => textWidth(label, tickSize))) : 0;
  const isUpright = names > (width - leftOf(y)) / Math.max(1, x.ticks.length);
  return composed(
    {
      ...{x, y},
      ...(isUpright && {height: 0.62 * width + names - 6}),
      entries: series.map(({method}) => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: ({at, inner}) =>
        series.flatMap(({method, peaks}, place) => {
          const look = looks.get(method)!;
          // Those of different methods stand beside each other.
          const aside = 2.2 * (place - (series.length - 1) / 2);
          const places = peaks.map(({value, peak}) => {
            const [along, level] = at(value, peak.mean);
            return {peak, at: [along + aside, level] as const};
          });
          const bars = places.flatMap(({peak: {mean, std}, at: [along]}) =>
            std === null ? [] : errorBar(along, at(1, mean - std)[1], at(1, mean + std)[1], look.colour, inner),
          );
          const line: Shape[] =
            places.length > 1 && !x.isNamed
              ? [
                  {
                    kind: 'line',
                    points: places.map(one => one.at),
                    colour: look.colour,
                    width: 1,
                    dash: look.dash,
                    within: inner,
                  },
                ]
              : [];
          return [...bars, ...line, ...places.map(one => markerOf(one.at, look, 2.2))];
        }),
    },
    width,
  );
}

export function conditionsCaption(task: string, metric: string): string {
  return `Best ${formatMeasure(task, metric)} of each method under each condition, at its own best rate there; bars: ± one standard deviation over seeds.`;
}
