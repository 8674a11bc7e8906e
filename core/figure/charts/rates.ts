/** A metric over the learning rate: a line a method with ± one standard deviation over seeds, its best rate ringed. */
import {methodTitle} from '../../method/title.ts';
import type {MethodCurve, RatePoint} from '../../run/peak.ts';
import type {Comparison} from '../../run/verdict.ts';
import {composed} from '../composed.ts';
import {methodEntry} from '../legend.ts';
import type {Look} from '../looks.ts';
import type {Panel} from '../panel.ts';
import {rateAxis} from '../scales.ts';
import type {Place, Scene, Shape} from '../scene.ts';
import {errorBar, markerOf, unbroken, valueAxis} from './values.ts';

export function ratesFigure(
  {curves, task, metric}: Comparison,
  looks: ReadonlyMap<string, Look>,
  width: number,
): Scene {
  const points = curves.flatMap(curve => curve.points);
  // A row a method, but no more than leaves the lines enough.
  const roomFor = (mark: 'scanned' | 'diverged'): number =>
    points.some(point => point[mark]) ? Math.min(0.3, (row * (curves.length + 1)) / (0.45 * width)) : 0;
  return composed(
    {
      x: rateAxis(points.map(({learningRate}) => learningRate)),
      y: valueAxis(task, metric, points, {below: roomFor('scanned'), above: roomFor('diverged')}),
      entries: curves.map(({method}) => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: panel => {
        const own = curves.map((curve, place) => ({curve, place, look: looks.get(curve.method)!, panel}));
        return [...own.flatMap(noise), ...own.flatMap(lines), ...own.flatMap(marks)];
      },
    },
    width,
  );
}

/** Between marks of one method and the next, at an edge of the plot. */
const row = 3.5;

/** A search trains most rates with no seed or one: nothing is known between them. */
const isSearched = ({found}: MethodCurve): boolean => found !== undefined && found !== 'grid';

interface Drawn {
  curve: MethodCurve;
  /** Among the methods. */
  place: number;
  look: Look;
  panel: Panel;
}

type Valued = RatePoint & {mean: number};
const valued = (point: RatePoint): Valued | null => (point.mean === null ? null : {...point, mean: point.mean});

/** A band of a grid; of a search upright bars. */
function noise({curve, look: {colour}, panel: {at, inner}}: Drawn): Shape[] {
  const lower = ({learningRate, mean, std}: Valued): Place => at(learningRate, mean - (std ?? 0));
  const upper = ({learningRate, mean, std}: Valued): Place => at(learningRate, mean + (std ?? 0));
  if (isSearched(curve))
    return curve.points.flatMap(point => {
      const own = valued(point);
      return own === null || own.std === null
        ? []
        : errorBar(lower(own)[0], lower(own)[1], upper(own)[1], colour, inner);
    });
  return unbroken(curve.points.map(valued))
    .filter(run => run.some(({std}) => std !== null))
    .map(run => ({
      kind: 'area',
      points: [...run.map(upper), ...run.toReversed().map(lower)].map(
        ([x, y]): Place => [x, Number.isFinite(y) ? y : inner.y + inner.height],
      ),
      fill: colour,
      opacity: 0.16,
      within: inner,
    }));
}

function lines({curve, look, panel: {at, inner}}: Drawn): Shape[] {
  const {colour, dash} = look;
  return unbroken(curve.points.map(valued)).flatMap((run): Shape[] => {
    const places = run.map(({learningRate, mean}) => at(learningRate, mean));
    return [
      ...(places.length > 1 ? [{kind: 'line', points: places, colour, width: 1, dash, within: inner} as const] : []),
      ...run
        .filter(({learningRate}) => learningRate !== curve.peak?.learningRate)
        .map(({learningRate, mean}) => markerOf(at(learningRate, mean), look, 1.6)),
    ];
  });
}

/** The best rate; crosses at the top where a seed diverged, ticks at the bottom where nothing but a scan was. */
function marks({curve: {points, peak}, place, look, panel: {at, inner}}: Drawn): Shape[] {
  const across = (rate: number): number => at(rate, 1)[0];
  const aside = row * (place + 1);
  const {colour} = look;
  const common = {kind: 'marker', stroke: colour, fill: 'none'} as const;
  return [
    ...points
      .filter(({diverged}) => diverged > 0)
      .map(
        ({learningRate}): Shape => ({
          ...common,
          ...{at: [across(learningRate), inner.y + aside], shape: 'cross', radius: 2, width: 0.9},
        }),
      ),
    ...points
      .filter(({scanned}) => scanned)
      .map(
        ({learningRate}): Shape => ({
          ...common,
          ...{at: [across(learningRate), inner.y + inner.height - aside], shape: 'tick', radius: 2, width: 0.7},
        }),
      ),
    ...(peak
      ? [
          markerOf(at(peak.learningRate, peak.mean), look, 2.6),
          {...common, at: at(peak.learningRate, peak.mean), shape: 'circle', radius: 4.4, width: 0.9} satisfies Shape,
        ]
      : []),
  ];
}

/** What its marks mean. */
export function ratesCaption({curves}: Comparison): string {
  const points = curves.flatMap(curve => curve.points);
  return [
    'Mean over seeds at each learning rate; rings: best rate of a method',
    points.some(({std}) => std !== null)
      ? `; ${curves.some(isSearched) ? 'bars' : 'bands'}: ± one standard deviation over seeds`
      : '',
    points.some(({diverged}) => diverged > 0) ? '; ×: a seed diverged' : '',
    points.some(({scanned}) => scanned) ? '; slanted ticks at the bottom: scanned only, there is no value' : '',
    '.',
  ].join('');
}
