/** Every chart of a run as a picture for a paper. */

import {grouped} from '../grouped.ts';
import {methodTitle} from '../method/title.ts';
import {type Conditions, settingInFull} from '../run/compare/conditions.ts';
import {
  blockRows,
  correlationSentence,
  curvatureTables,
  ratesAndCurvature,
  startRows,
  whereInWords,
} from '../run/compare/curvature.ts';
import {curvatureAlong} from '../run/compare/curvature-along.ts';
import {type Landscape, landscapes, landscapeTitle} from '../run/compare/landscape.ts';
import {scansOf} from '../run/compare/scan.ts';
import type {RunState} from '../run/fold.ts';
import {formatMeasure} from '../run/format.ts';
import {countedRun} from '../run/trials/dropped-trials.ts';
import {type Comparison, compare, title} from '../run/verdict.ts';
import {nameOf} from '../sweep/sweep.ts';
import {
  blocksFigure,
  lambdaHeat,
  layersFigure,
  rateAgainstCurvatureFigure,
  trainingFigure,
} from './charts/curvature.ts';
import {heatCaption, heatFigure, landscapeHeat, methodsHeat} from './charts/heat.ts';
import {type Curve, curveTitles, lossFigure} from './charts/losses.ts';
import {conditionsCaption, conditionsFigure, peaksCaption, peaksFigure, peaksOverFigure} from './charts/peaks.ts';
import {ratesCaption, ratesFigure} from './charts/rates.ts';
import {scanCaption, scanFigure} from './charts/scan.ts';
import {type Look, looksOf} from './looks.ts';
import {distinct, slugOf} from './names.ts';
import type {Scene} from './scene.ts';
import {type PaperTable, tablesOf} from './tables.ts';

export interface Figure {
  /** Of its files, without an ending. */
  name: string;
  title: string;
  /** What is drawn, in a sentence or two. */
  caption: string;
  scene: Scene;
}

/** What all figures of a run share. */
interface Drawing {
  state: RunState;
  looks: ReadonlyMap<string, Look>;
  /** In points. */
  width: number;
}

/** All figures of this width (in points) and all tables; trials that the sweep file no longer has are left out. */
export function figuresOf(whole: RunState, width: number): {figures: Figure[]; tables: PaperTable[]} {
  const state = countedRun(whole);
  const comparisons = compare(state);
  const methods = [
    ...state.trials.map(({trial}) => nameOf(trial)),
    ...comparisons.flatMap(({curves}) => curves.map(({method}) => method)),
  ];
  const drawing = {state, looks: looksOf(methods), width};
  const figures = [
    ...comparisons.flatMap(one => comparisonFigures(one, drawing)),
    ...landscapes(comparisons).flatMap(one => landscapeFigures(one, drawing)),
    ...conditionsFigures(comparisons, drawing),
    ...scanFigures(drawing),
    ...curveFigures(drawing),
    ...curvatureFigures(drawing),
  ];
  return {figures: distinct(figures), tables: distinct(tablesOf(state, comparisons))};
}

/** `kind` and `of` make the name of its files. */
function made(kind: string, title: string, caption: string, scene: Scene, of = title): Figure {
  return {name: slugOf(`${kind} ${of}`), title, caption, scene};
}

function comparisonFigures(comparison: Comparison, {looks, width}: Drawing): Figure[] {
  const name = title(comparison);
  return [
    made('rates', name, ratesCaption(comparison), ratesFigure(comparison, looks, width)),
    made('peaks', name, peaksCaption, peaksFigure(comparison, looks, width)),
    made('heat', name, heatCaption, heatFigure(methodsHeat(comparison), width)),
  ];
}

function landscapeFigures(landscape: Landscape, {looks, width}: Drawing): Figure[] {
  const name = landscapeTitle(landscape);
  const {over, task, metric} = landscape;
  return [
    made('peaks', name, conditionsCaption(task, metric), peaksOverFigure(landscape, looks, width)),
    ...landscape.methods.map(({method}) =>
      made(
        `heat ${method}`,
        `${methodTitle(method)}: ${name}`,
        `${methodTitle(method)} over learning rate and ${over}. ${heatCaption}`,
        heatFigure(landscapeHeat(landscape, method), width),
        name,
      ),
    ),
  ];
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

function scanFigures({state, looks, width}: Drawing): Figure[] {
  return scansOf(state).flatMap(scan => {
    const scene = scanFigure(scan, looks, width);
    return scene ? [made('scan', scan.title, scanCaption(scan), scene)] : [];
  });
}

/** Training losses and gradient norms, a figure each a setting. */
function curveFigures({state, width}: Drawing): Figure[] {
  const curves: readonly Curve[] = ['losses', 'gradNorms'];
  return curves.flatMap(curve => {
    const views = state.trials.filter(view => view[curve].means.some(value => value > 0));
    return [...grouped(views, ({trial}) => settingInFull(trial))].map(([setting, own]) =>
      made(
        curveTitles[curve].replace(' ', '-'),
        setting,
        `The ${curveTitles[curve]} over the steps, a line a trial in the colour of its learning rate. ×: the training diverged.`,
        lossFigure(own, curve, width),
      ),
    );
  });
}

function curvatureFigures({state, looks, width}: Drawing): Figure[] {
  const tables = curvatureTables(state).flatMap(group => startFigures(group, {state, looks, width}));
  const training = curvatureAlong(state).flatMap(group => {
    const scene = trainingFigure(group.lines, looks, width);
    const caption =
      'The median over all blocks and seeds of the largest Hessian eigenvalue, over the steps of the training at the best rate, or the middle one of those that were probed.';
    return scene ? [made('lambda-over-training', whereInWords(group), caption, scene)] : [];
  });
  const beside = ratesAndCurvature(state).flatMap(group => {
    const scene = rateAgainstCurvatureFigure(group, looks, width);
    const caption = `Best learning rate over the median λmax at the start; bars: the rates among which the best one lies. ${correlationSentence(group)}`;
    return scene ? [made('lambda-and-best-rate', formatMeasure(group.task, group.metric), caption, scene)] : [];
  });
  return [...tables, ...training, ...beside];
}

/** The curvature where training starts, under one condition. */
function startFigures(group: Conditions, {state, looks, width}: Drawing): Figure[] {
  const setting = whereInWords(group);
  const relative = blockRows(state, group);
  const rows = startRows(state, group).map(row => ({...row, method: row.name ?? row.method}));
  const modules = [...new Set(rows.map(({module}) => module))];
  const what = 'Largest Hessian eigenvalue of each block {A, B} where training starts';
  const heats = rows.some(({lambdaMax}) => lambdaMax > 0)
    ? [...new Set(rows.map(({method}) => method))].map(method =>
        made(
          `lambda ${method}`,
          `${methodTitle(method)}, ${setting}`,
          `${what}, mean over seeds; colours as in the other methods' figures.`,
          heatFigure(lambdaHeat(rows, method, modules), width),
          setting,
        ),
      )
    : [];
  if (relative.length === 0) return heats;
  return [
    made(
      'lambda-by-layer',
      setting,
      `${what}, relative to LoRA's at the same place; mean over seeds.`,
      layersFigure(relative, looks, width),
    ),
    made(
      'lambda-blocks',
      setting,
      `${what}, relative to LoRA's, all blocks; wide bars: medians.`,
      blocksFigure(relative, looks, width),
    ),
    ...heats,
  ];
}
