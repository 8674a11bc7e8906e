/** Each chart as a picture for a paper: of what a page shows on the screen, and of what `figures` writes, the same. */
import {methodTitle} from '../method/title.ts';
import type {Conditions} from '../run/compare/conditions.ts';
import {
  type BlockRow,
  correlationSentence,
  methodsOf,
  type RatesAndCurvature,
  whereInWords,
} from '../run/compare/curvature.ts';
import type {CurvatureAlong, CurvatureOverConditions} from '../run/compare/curvature-along.ts';
import {type Importance, importanceCaption} from '../run/compare/importance.ts';
import {type Landscape, landscapeTitle} from '../run/compare/landscape.ts';
import type {Scan} from '../run/compare/scan.ts';
import type {RunState, TrialView} from '../run/fold.ts';
import {formatMeasure} from '../run/format.ts';
import type {CurveName} from '../run/update.ts';
import {type Comparison, title} from '../run/verdict.ts';
import {
  blocksFigure,
  layersFigure,
  overConditionsFigure,
  rateAgainstCurvatureFigure,
  trainingFigure,
} from './charts/curvature.ts';
import {heatCaption, heatFigure, landscapeHeat, methodsHeat} from './charts/heat.ts';
import {importanceFigure} from './charts/importance.ts';
import {curveTitles, lossFigure} from './charts/losses.ts';
import {type Parallel, parallelCaption, parallelFigure} from './charts/parallel.ts';
import {conditionsCaption, peaksCaption, peaksFigure, peaksOverFigure} from './charts/peaks.ts';
import {ratesCaption, ratesFigure} from './charts/rates.ts';
import {scanCaption, scanFigure} from './charts/scan.ts';
import {type Look, looksOf} from './looks.ts';
import {slugOf} from './names.ts';
import type {Scene} from './scene.ts';

export interface Figure {
  /** Of its files, without an ending. */
  name: string;
  title: string;
  /** What is drawn, in a sentence or two. */
  caption: string;
  scene: Scene;
}

/** What all figures of a run share. */
export interface Drawing {
  looks: ReadonlyMap<string, Look>;
  /** In points. */
  width: number;
}

/** The width of a column in most papers. */
export const columnWidth = 3.3 * 72;

export function drawingOf(state: RunState, comparisons: readonly Comparison[], width = columnWidth): Drawing {
  const methods = [...methodsOf(state), ...comparisons.flatMap(({curves}) => curves.map(({method}) => method))];
  return {looks: looksOf(methods), width};
}

/** `kind` and `of` make the name of its files. */
export function made(kind: string, title: string, caption: string, scene: Scene, of = title): Figure {
  return {name: slugOf(`${kind} ${of}`), title, caption, scene};
}

export function ratesOf(comparison: Comparison, {looks, width}: Drawing): Figure {
  return made('rates', title(comparison), ratesCaption(comparison), ratesFigure(comparison, looks, width));
}

export function peaksOf(comparison: Comparison, {looks, width}: Drawing): Figure {
  return made('peaks', title(comparison), peaksCaption, peaksFigure(comparison, looks, width));
}

export function heatOf(comparison: Comparison, {width}: Drawing): Figure {
  return made('heat', title(comparison), heatCaption, heatFigure(methodsHeat(comparison), width));
}

export function peaksOverOf(landscape: Landscape, {looks, width}: Drawing): Figure {
  const {task, metric} = landscape;
  const scene = peaksOverFigure(landscape, looks, width);
  return made('peaks', landscapeTitle(landscape), conditionsCaption(task, metric), scene);
}

export function landscapeHeatOf(landscape: Landscape, method: string, {width}: Drawing): Figure {
  const name = landscapeTitle(landscape);
  return made(
    `heat ${method}`,
    `${methodTitle(method)}: ${name}`,
    `${methodTitle(method)} over learning rate and ${landscape.over}. ${heatCaption}`,
    heatFigure(landscapeHeat(landscape, method), width),
    name,
  );
}

export function importanceFigureOf(importance: Importance, {width}: Drawing): Figure {
  const {task, metric} = importance;
  const scene = importanceFigure(importance, width);
  return made('importance', formatMeasure(task, metric), importanceCaption(importance), scene);
}

export function parallelFigureOf(parallel: Parallel, {width}: Drawing): Figure {
  const {task, metric} = parallel;
  return made('parallel', formatMeasure(task, metric), parallelCaption(parallel), parallelFigure(parallel, width));
}

/** Null where no loss is known. */
export function scanOf(scan: Scan, {looks, width}: Drawing): Figure | null {
  const scene = scanFigure(scan, looks, width);
  return scene && made('scan', scan.title, scanCaption(scan), scene);
}

/** @param views trials that have the curve; @param of what they have in common, in words */
export function curvesOf(views: readonly TrialView[], curve: CurveName, of: string, {width}: Drawing): Figure {
  return made(
    curveTitles[curve].replace(' ', '-'),
    of,
    `The ${curveTitles[curve]} over the steps, a line a trial in the colour of its learning rate. ×: the training diverged.`,
    lossFigure(views, curve, width),
  );
}

const eigenvalues = 'Largest Hessian eigenvalue of each block {A, B} where training starts';

export function layersOf(rows: readonly BlockRow[], group: Conditions, {looks, width}: Drawing): Figure {
  const caption = `${eigenvalues}, relative to LoRA's at the same place; mean over seeds.`;
  return made('lambda-by-layer', whereInWords(group), caption, layersFigure(rows, looks, width));
}

/** All blocks, or those of one projection. */
export function blocksOf(
  rows: readonly BlockRow[],
  group: Conditions,
  {looks, width}: Drawing,
  module?: string,
): Figure {
  const of = whereInWords(group);
  const caption = `${eigenvalues}, relative to LoRA's, ${module ?? 'all blocks'}; wide bars: medians.`;
  if (module === undefined) return made('lambda-blocks', of, caption, blocksFigure(rows, looks, width));
  const own = rows.filter(row => row.module === module);
  return made(`lambda-blocks ${module}`, `${module}, ${of}`, caption, blocksFigure(own, looks, width), of);
}

export const lambdaCaption = `${eigenvalues}, mean over seeds; colours as in the figures of other methods and projections.`;

/** Null where there is but one point. */
export function trainingOf(group: CurvatureAlong, {looks, width}: Drawing): Figure | null {
  const scene = trainingFigure(group.lines, looks, width);
  const caption =
    'The median over all blocks and seeds of the largest Hessian eigenvalue, over the steps of the training at the best rate, or the middle one of those that were probed.';
  return scene && made('lambda-over-training', whereInWords(group), caption, scene);
}

export function overConditionsOf(one: CurvatureOverConditions, {looks, width}: Drawing): Figure | null {
  const scene = overConditionsFigure(one, looks, width);
  const caption = `The median over all blocks and seeds of the largest Hessian eigenvalue under each condition, ${one.when}.`;
  return scene && made('lambda-by-condition', one.when, caption, scene);
}

/** Null with fewer than two points. */
export function besideRatesOf(group: RatesAndCurvature, {looks, width}: Drawing): Figure | null {
  const scene = rateAgainstCurvatureFigure(group, looks, width);
  const caption = `Best learning rate over the median λmax at the start; bars: the rates among which the best one lies. ${correlationSentence(group)}`;
  return scene && made('lambda-and-best-rate', formatMeasure(group.task, group.metric), caption, scene);
}
