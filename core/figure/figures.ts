/** Every chart of a run as a picture for a paper. */

import {grouped} from '../grouped.ts';
import {methodTitle} from '../method/title.ts';
import {type Conditions, settingInFull} from '../run/compare/conditions.ts';
import {blockRows, curvatureTables, ratesAndCurvature, startRows, whereInWords} from '../run/compare/curvature.ts';
import {curvatureAlong, curvatureOverConditions} from '../run/compare/curvature-along.ts';
import {importances} from '../run/compare/importance.ts';
import {landscapes} from '../run/compare/landscape.ts';
import {scansOf} from '../run/compare/scan.ts';
import {settingsTables} from '../run/compare/settings-table.ts';
import type {RunState} from '../run/fold.ts';
import {formatMeasure} from '../run/format.ts';
import {countedRun} from '../run/trials/dropped-trials.ts';
import {type Comparison, compare} from '../run/verdict.ts';
import {lambdaHeat, projectionHeat} from './charts/curvature.ts';
import {heatFigure} from './charts/heat.ts';
import {parallelOf} from './charts/parallel.ts';
import {conditionsCaption, conditionsFigure} from './charts/peaks.ts';
import {
  besideRatesOf,
  blocksOf,
  curvesOf,
  type Drawing,
  drawingOf,
  type Figure,
  heatOf,
  importanceFigureOf,
  lambdaCaption,
  landscapeHeatOf,
  layersOf,
  made,
  overConditionsOf,
  parallelFigureOf,
  peaksOf,
  peaksOverOf,
  ratesOf,
  scanOf,
  trainingOf,
} from './each.ts';
import {distinct} from './names.ts';
import {type PaperTable, tablesOf} from './tables.ts';

/** All figures of this width (in points) and all tables; trials that the sweep file no longer has are left out. */
export function figuresOf(whole: RunState, width: number): {figures: Figure[]; tables: PaperTable[]} {
  const state = countedRun(whole);
  const comparisons = compare(state);
  const drawing = drawingOf(state, comparisons, width);
  const settings = settingsTables(state);
  const importance = importances(settings);
  const figures = [
    ...comparisons.flatMap(one => [ratesOf(one, drawing), peaksOf(one, drawing), heatOf(one, drawing)]),
    ...landscapes(comparisons).flatMap(one => [
      peaksOverOf(one, drawing),
      ...one.methods.map(({method}) => landscapeHeatOf(one, method, drawing)),
    ]),
    ...conditionsFigures(comparisons, drawing),
    ...importance.map(one => importanceFigureOf(one, drawing)),
    ...settings.flatMap(one => parallelOf(one) ?? []).map(one => parallelFigureOf(one, drawing)),
    ...scansOf(state).flatMap(scan => scanOf(scan, drawing) ?? []),
    ...curveFigures(state, drawing),
    ...curvatureTables(state).flatMap(group => startFigures(group, state, drawing)),
    ...curvatureAlong(state).flatMap(group => trainingOf(group, drawing) ?? []),
    ...curvatureOverConditions(state).flatMap(one => overConditionsOf(one, drawing) ?? []),
    ...ratesAndCurvature(state).flatMap(group => besideRatesOf(group, drawing) ?? []),
  ];
  return {figures: distinct(figures), tables: distinct(tablesOf(state, comparisons, importance))};
}

/** Conditions in one figure, at most. */
const mostConditions = 20;

/** Where comparisons of one metric differ by more than a landscape shows. */
function conditionsFigures(comparisons: readonly Comparison[], {looks, width}: Drawing): Figure[] {
  const groups = grouped(comparisons, ({model, task, metric}) => JSON.stringify([model, task, metric]));
  return [...groups.values()].flatMap(group => {
    const {model, task, metric} = group[0]!;
    const name = `${model === null ? '' : `${model}: `}${formatMeasure(task, metric)}`;
    const shown = landscapes(group);
    const isShown = shown.length === 1 && shown[0]!.values.length === group.length;
    if (group.length < 2 || isShown) return [];
    const parts = Array.from({length: Math.ceil(group.length / mostConditions)}, (_, k) =>
      group.slice(k * mostConditions, (k + 1) * mostConditions),
    );
    return parts.map(part =>
      made('conditions', name, conditionsCaption(task, metric), conditionsFigure(part, looks, width)),
    );
  });
}

/** Training losses and gradient norms, a figure each a setting. */
function curveFigures({trials}: RunState, drawing: Drawing): Figure[] {
  return (['losses', 'gradNorms'] as const).flatMap(curve => {
    const views = trials.filter(view => view[curve].means.some(value => value > 0));
    const settings = grouped(views, ({trial}) => settingInFull(trial));
    return [...settings].map(([setting, own]) => curvesOf(own, curve, setting, drawing));
  });
}

/** The curvature where training starts, under one condition. */
function startFigures(group: Conditions, state: RunState, drawing: Drawing): Figure[] {
  const setting = whereInWords(group);
  const relative = blockRows(state, group);
  const rows = startRows(state, group).map(row => ({...row, method: row.name ?? row.method}));
  const names = (key: 'method' | 'module'): string[] => [...new Set(rows.map(row => row[key]))];
  const [methods, modules] = [names('method'), names('module')];
  const {width} = drawing;
  const heats = rows.some(({lambdaMax}) => lambdaMax > 0)
    ? [
        ...modules.map(module => ({name: module, title: module, heat: projectionHeat(rows, module, methods)})),
        ...methods.map(method => ({name: method, title: methodTitle(method), heat: lambdaHeat(rows, method, modules)})),
      ].map(({name, title, heat}) =>
        made(`lambda ${name}`, `${title}, ${setting}`, lambdaCaption, heatFigure(heat, width), setting),
      )
    : [];
  if (relative.length === 0) return heats;
  const each = modules.length > 1 ? modules.filter(module => relative.some(row => row.module === module)) : [];
  return [
    layersOf(relative, group, drawing),
    blocksOf(relative, group, drawing),
    ...each.map(module => blocksOf(relative, group, drawing, module)),
    ...heats,
  ];
}
