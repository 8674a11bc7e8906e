/** What a search saw of its rates: training losses of a prefix. */
import {methodTitle} from '../../method/title.ts';
import type {Scan} from '../../run/compare/scan.ts';
import {count} from '../../run/format.ts';
import {composed} from '../composed.ts';
import {methodEntry} from '../legend.ts';
import type {Look} from '../looks.ts';
import {logAxis, rateAxis, shortNumber} from '../scales.ts';
import type {Place, Scene, Shape} from '../scene.ts';
import {markerOf, unbroken} from './values.ts';

/** Null where no loss is known. */
export function scanFigure({methods}: Scan, looks: ReadonlyMap<string, Look>, width: number): Scene | null {
  const points = methods.flatMap(one => one.points);
  const losses = points.flatMap(({loss}) => (loss !== null && loss > 0 ? [loss] : []));
  if (losses.length === 0) return null;
  return composed(
    {
      x: rateAxis(points.map(({learningRate}) => learningRate)),
      y: logAxis('training loss', Math.min(...losses) / 1.15, Math.max(...losses) * 1.3, shortNumber),
      entries: methods.map(({method}) => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: ({at, inner}) =>
        methods.flatMap(({method, points: own}, place) => {
          const look = looks.get(method)!;
          const runs = unbroken(
            own.map(({learningRate, loss}): Place | null =>
              loss === null || loss <= 0 ? null : at(learningRate, loss),
            ),
          );
          const died = own.filter(({loss}) => loss === null);
          return [
            ...runs
              .filter(run => run.length > 1)
              .map((run): Shape => ({kind: 'line', points: run, colour: look.colour, width: 0.8, dash: look.dash})),
            ...runs.flat().map(one => markerOf(one, look, 1.6)),
            ...died.map(
              ({learningRate}): Shape => ({
                ...{kind: 'marker', shape: 'cross', radius: 2, stroke: look.colour, fill: 'none', width: 0.9},
                at: [at(learningRate, losses[0]!)[0], inner.y + 3.5 * (place + 1)],
              }),
            ),
          ];
        }),
    },
    width,
  );
}

export function scanCaption({steps, methods}: Scan): string {
  const died = methods.some(({points}) => points.some(({loss}) => loss === null));
  return `Training loss at the end of the first ${count(steps, 'step')} of each trial's schedule, one seed: where to look, not how good a rate is.${died ? ' ×: the training diverged.' : ''}`;
}
