/** The curvature: λmax by layer and projection, relative to LoRA's and absolute, over the training, and beside best rates. */
import {methodTitle} from '../../method/title.ts';
import {type BlockRow, median, type RatesAndCurvature} from '../../run/compare/curvature.ts';
import type {CurvatureLine, CurvatureOverConditions} from '../../run/compare/curvature-along.ts';
import type {Curvature} from '../../run/fold.ts';
import {formatRate} from '../../run/format.ts';
import {arranged, composed, margin} from '../composed.ts';
import {legendOf, methodEntry} from '../legend.ts';
import type {Look} from '../looks.ts';
import {leftOf, panel, tickSize} from '../panel.ts';
import {linearAxis, logAxis, namesAxis, shortNumber} from '../scales.ts';
import {moved, type Place, type Scene, type Shape} from '../scene.ts';
import {textWidth} from '../text-widths.ts';
import type {Heat} from './heat.ts';
import {markerOf} from './values.ts';

type Looks = ReadonlyMap<string, Look>;

const relativeTitle = "λmax ÷ LoRA's";

function relativeAxis(rows: readonly BlockRow[], title = relativeTitle) {
  const values = rows.map(({relative}) => relative);
  return logAxis(title, Math.min(...values, 1) / 1.3, Math.max(...values, 1) * 1.3, shortNumber);
}

/** A panel a projection, its layers across, a line a method. */
export function layersFigure(rows: readonly BlockRow[], looks: Looks, width: number): Scene {
  const methods = [...looks.keys()].filter(method => rows.some(row => row.method === method));
  const modules = [...new Set(rows.map(({module}) => module))];
  const legend = legendOf(
    methods.map(method => methodEntry(methodTitle(method), looks.get(method)!)),
    width - 2 * margin,
  );
  const {boxes, columns, height} = arranged(modules.length, width, {least: 110, height: 88, top: legend.height + 3});
  const layers = rows.map(({layer}) => layer);
  const y = relativeAxis(rows);
  const x = linearAxis('layer', Math.min(...layers) - 0.3, Math.max(...layers) + 0.3, value =>
    Number.isInteger(value) ? String(value) : '',
  );
  const shapes = modules.flatMap((module, k): Shape[] => {
    const ticks = x.ticks.filter(({label}) => label !== '');
    const own = {
      box: boxes[k]!,
      x: {...x, ticks},
      y: k % columns === 0 ? y : {...y, title: ''},
      title: module,
      left: leftOf(y),
    };
    const framed = panel(own);
    return [
      ...framed.shapes,
      ...methods.flatMap(method =>
        layerLine(
          rows.filter(row => row.module === module && row.method === method),
          looks.get(method)!,
          framed.at,
        ),
      ),
    ];
  });
  return {width, height, shapes: [...moved(legend.shapes, margin, margin), ...shapes]};
}

function layerLine(rows: readonly BlockRow[], look: Look, at: (x: number, y: number) => Place): Shape[] {
  const points = rows.toSorted((a, b) => a.layer - b.layer).map(({layer, relative}) => at(layer, relative));
  const line: Shape = {kind: 'line', points, colour: look.colour, width: 0.8, dash: look.dash};
  return [...(points.length > 1 ? [line] : []), ...points.map(point => markerOf(point, look, 1.6))];
}

/** All blocks as points, a column a method; the wide bar is their median. */
export function blocksFigure(rows: readonly BlockRow[], looks: Looks, width: number): Scene {
  const methods = [...looks.keys()].filter(method => rows.some(row => row.method === method));
  return composed(
    {
      x: namesAxis('', methods.map(methodTitle)),
      y: relativeAxis(rows),
      entries: [],
      draw: ({at, inner}) =>
        methods.flatMap((method, column): Shape[] => {
          const look = looks.get(method)!;
          const own = rows
            .filter(row => row.method === method)
            .map(({relative}) => relative)
            .sort((a, b) => a - b);
          const each = inner.width / methods.length;
          // Neighbours in size stand beside each other: none hides another.
          const points = own.map((relative, k) => {
            const [x, y] = at(column, relative);
            return markerOf([x + (((k % 7) - 3) * each) / 12, y], look, 1.3);
          });
          const [x, y] = at(column, median(own)!);
          const bar: Shape = {
            kind: 'line',
            points: [
              [x - 0.38 * each, y],
              [x + 0.38 * each, y],
            ],
            colour: look.colour,
            width: 1.8,
          };
          return [...points, bar];
        }),
    },
    width,
  );
}

/** λmax itself of one method's blocks at the start, mean over seeds: layers down, projections across. */
export function lambdaHeat(rows: readonly Curvature[], method: string, modules: readonly string[]): Heat {
  const layers = layersOf(rows);
  const {all, cell, scale} = shaded(rows);
  return {
    rows: {title: 'layer', names: layers.map(String)},
    columns: {title: '', names: modules.map(module => module.replace(/_proj$/, ''))},
    cells: all
      .filter(block => block.method === method)
      .map(block => ({row: layers.indexOf(block.layer), column: modules.indexOf(block.module), ...cell(block)})),
    scale,
  };
}

/** The same of one projection in all layers: methods down, layers across. */
export function projectionHeat(rows: readonly Curvature[], module: string, methods: readonly string[]): Heat {
  const layers = layersOf(rows);
  const {all, cell, scale} = shaded(rows);
  return {
    rows: {title: '', names: methods.map(methodTitle)},
    columns: {title: 'layer', names: layers.map(String)},
    cells: all
      .filter(block => block.module === module)
      .map(block => ({row: methods.indexOf(block.method), column: layers.indexOf(block.layer), ...cell(block)})),
    scale,
  };
}

function layersOf(rows: readonly Curvature[]): number[] {
  return [...new Set(rows.map(({layer}) => layer))].sort((a, b) => a - b);
}

/** All blocks, and their numbers and shades on one scale. */
function shaded(rows: readonly Curvature[]): {
  all: Mean[];
  cell(block: Mean): Pick<Heat['cells'][number], 'shade' | 'text'>;
  scale: Heat['scale'];
} {
  const all = blocksOf(rows);
  const positive = all.map(({value}) => value).filter(value => value > 0);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const shade = (value: number): number => (high > low ? Math.log(value / low) / Math.log(high / low) : 0.5);
  const short = (value: number): string => {
    const rounded = Number(value.toPrecision(2));
    return Math.abs(rounded) >= 1e4 || (rounded !== 0 && Math.abs(rounded) < 1e-3)
      ? rounded.toExponential().replace('+', '')
      : String(rounded);
  };
  return {
    all,
    cell: ({value}) => ({shade: value > 0 ? shade(value) : 0, text: short(value)}),
    scale: {title: 'λmax', low, high, format: shortNumber},
  };
}

/** λmax of a block, mean over seeds. */
interface Mean {
  method: string;
  layer: number;
  module: string;
  value: number;
}

function blocksOf(rows: readonly Curvature[]): Mean[] {
  const sums = new Map<string, {method: string; layer: number; module: string; sum: number; seeds: number}>();
  for (const {method, layer, module, lambdaMax} of rows) {
    const key = `${method} ${layer} ${module}`;
    const known = sums.get(key) ?? {method, layer, module, sum: 0, seeds: 0};
    sums.set(key, {...known, sum: known.sum + lambdaMax, seeds: known.seeds + 1});
  }
  return [...sums.values()].map(({sum, seeds, ...block}) => ({...block, value: sum / seeds}));
}

/** The median λmax of each method's blocks at the points of the training that were looked at; null where there is but one point. */
export function trainingFigure(all: readonly CurvatureLine[], looks: Looks, width: number): Scene | null {
  const lines = all.filter(({method, points}) => looks.has(method) && points.some(({lambdaMax}) => lambdaMax > 0));
  const points = lines.flatMap(one => one.points.filter(({lambdaMax}) => lambdaMax > 0));
  const steps = points.map(({step}) => step);
  if (new Set(steps).size < 2) return null;
  const values = points.map(({lambdaMax}) => lambdaMax);
  return composed(
    {
      x: linearAxis('step', 0, Math.max(...steps), value => value.toLocaleString('en-US')),
      y: logAxis('median λmax', Math.min(...values) / 1.3, Math.max(...values) * 1.3, shortNumber),
      entries: lines.map(({method}) => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: ({at}) =>
        lines.flatMap(({method, points: own}) => {
          const look = looks.get(method)!;
          const places = own.filter(({lambdaMax}) => lambdaMax > 0).map(({step, lambdaMax}) => at(step, lambdaMax));
          const line: Shape = {kind: 'line', points: places, colour: look.colour, width: 1, dash: look.dash};
          return [...(places.length > 1 ? [line] : []), ...places.map(place => markerOf(place, look))];
        }),
    },
    width,
  );
}

/** The median λmax of each method under each condition; null where none is positive. */
export function overConditionsFigure(
  {places, methods}: CurvatureOverConditions,
  looks: Looks,
  width: number,
): Scene | null {
  const shown = methods.filter(
    ({method, values}) => looks.has(method) && values.some(value => value !== null && value > 0),
  );
  const all = shown.flatMap(({values}) => values.flatMap(value => (value !== null && value > 0 ? [value] : [])));
  if (all.length === 0) return null;
  const longest = Math.max(...places.map(place => textWidth(place, tickSize)));
  return composed(
    {
      x: namesAxis('', places),
      y: logAxis('median λmax', Math.min(...all) / 1.3, Math.max(...all) * 1.3, shortNumber),
      height: 0.62 * width + (longest > width / places.length ? longest : 0),
      entries: shown.map(({method}) => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: ({at}) =>
        shown.flatMap(({method, values}, k) =>
          values.flatMap((value, place): Shape[] => {
            if (value === null || value <= 0) return [];
            const [x, y] = at(place, value);
            // Those of different methods stand beside each other.
            return [markerOf([x + 2.2 * (k - (shown.length - 1) / 2), y], looks.get(method)!, 2.2)];
          }),
        ),
    },
    width,
  );
}

/** Best rates with the interval in which they lie over the median λmax, a point a method, rank and batch size; null with fewer than two. */
export function rateAgainstCurvatureFigure({points}: RatesAndCurvature, looks: Looks, width: number): Scene | null {
  const shown = points.filter(({lambdaMax}) => lambdaMax > 0);
  if (shown.length < 2) return null;
  const lambdas = shown.map(({lambdaMax}) => lambdaMax);
  const rates = shown.flatMap(({place, bestRate}) => [...place, bestRate]);
  const methods = [...looks.keys()].filter(method => shown.some(point => point.method === method));
  return composed(
    {
      x: logAxis('median λmax', Math.min(...lambdas) / 1.3, Math.max(...lambdas) * 1.3, shortNumber),
      y: logAxis('best learning rate', Math.min(...rates) / 1.4, Math.max(...rates) * 1.4, formatRate),
      entries: methods.map(method => methodEntry(methodTitle(method), looks.get(method)!)),
      draw: ({at}) =>
        shown.flatMap(({method, lambdaMax, bestRate, place}): Shape[] => {
          const look = looks.get(method)!;
          const ends = [place[0] ?? bestRate, place.at(-1) ?? bestRate].map(rate => at(lambdaMax, rate));
          const bar: Shape = {kind: 'line', points: ends, colour: look.colour, width: 0.9};
          return [...(place.length > 1 ? [bar] : []), markerOf(at(lambdaMax, bestRate), look, 2.6)];
        }),
    },
    width,
  );
}
