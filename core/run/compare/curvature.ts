/**
 * What the probed curvature says: λmax relative to LoRA's, medians per method, and best learning rates beside it. A block
 * is {A, B} of one projection in one layer; λmax the largest eigenvalue of the loss Hessian over it.
 */
import {grouped} from '../../grouped.ts';
import type {Curvature, RunState} from '../fold.ts';
import {formatRate} from '../format.ts';
import {compare} from '../verdict.ts';
import {settingInFull} from './conditions.ts';
import {type RankCorrelation, rankCorrelation} from './rank-correlation.ts';

/** The reference: the weight itself, without adapters. */
export const fullWeight = 'full';

/** λmax over that of LoRA's block at the same place; null where LoRA was not probed there, or its λmax is not above 0. */
export function relativeToLora(rows: readonly Curvature[]): (number | null)[] {
  // Trials behind step 0 have rates of their own: only the same rate is compared.
  const place = ({seed, step, layer, module, learningRate, ...row}: Curvature) =>
    JSON.stringify([placeOf(row), seed, step, layer, module, learningRate]);
  const loras = new Map(rows.filter(({method}) => method === 'lora').map(row => [place(row), row.lambdaMax]));
  return rows.map(row => {
    const reference = loras.get(place(row));
    return reference !== undefined && reference > 0 ? row.lambdaMax / reference : null;
  });
}

/** Where curvature was looked at. */
export type CurvaturePlace = Pick<Curvature, 'model' | 'settings' | 'rank' | 'batchSize'>;

function placeOf({model, settings = {}, rank, batchSize}: CurvaturePlace): string {
  const texts = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([model ?? null, texts, rank, batchSize]);
}

/** Whether two places are the same one. */
export function isProbedAt(one: CurvaturePlace, place: CurvaturePlace): boolean {
  return placeOf(one) === placeOf(place);
}

/** λmax of one block relative to LoRA's, mean over seeds. */
export interface BlockRow {
  method: string;
  module: string;
  layer: number;
  relative: number;
}

/** The blocks of one place at the start that can be compared with LoRA's; LoRA itself is 1 everywhere. */
export function blockRows({curvature}: Pick<RunState, 'curvature'>, group: CurvaturePlace): BlockRow[] {
  const rows = curvature.filter(row => row.step === 0 && isProbedAt(row, group));
  const blocks = new Map<string, BlockRow & {seeds: number}>();
  relativeToLora(rows).forEach((relative, k) => {
    const {method, module, layer} = rows[k]!;
    if (relative === null || relative <= 0) return;
    const key = `${method} ${module} ${layer}`;
    const known = blocks.get(key) ?? {method, module, layer, relative: 0, seeds: 0};
    const seeds = known.seeds + 1;
    blocks.set(key, {...known, relative: known.relative + (relative - known.relative) / seeds, seeds});
  });
  return [...blocks.values()];
}

/** The median over all blocks (and seeds, and trials) of each method at every step that was looked at; whole weights are left out. */
export function medianOverTraining(
  rows: readonly Curvature[],
): {method: string; points: {step: number; lambdaMax: number}[]}[] {
  const methods = grouped(
    rows.filter(({method}) => method !== fullWeight),
    ({method}) => method,
  );
  return [...methods].map(([method, own]) => ({
    method,
    points: [...grouped(own, ({step}) => step)]
      .map(([step, group]) => ({step, lambdaMax: median(group.map(({lambdaMax}) => lambdaMax))!}))
      .sort((a, b) => a.step - b.step),
  }));
}

/** The curvature of one method at the start of training. */
export interface MethodCurvature extends CurvaturePlace {
  method: string;
  /** Blocks, each at every seed. */
  blocks: number;
  seeds: number;
  /** Medians over all of them. */
  lambdaMax: number;
  lambdaMin: number;
  /** Median of λmax relative to LoRA's; null without LoRA. */
  relative: number | null;
  /** The same by projection, in the order of their use. */
  modules: {module: string; relative: number | null}[];
}

/** One entry a (model, rank, batch size, further conditions, method), at step 0; the reference of whole weights is left out. */
export function curvatureByMethod({curvature}: Pick<RunState, 'curvature'>): MethodCurvature[] {
  const rows = curvature.filter(({step, method}) => step === 0 && method !== fullWeight);
  const relatives = relativeToLora(rows);
  const groups = grouped(
    rows.map((row, k) => ({row, relative: relatives[k]!})),
    ({row}) => JSON.stringify([placeOf(row), row.method]),
  );
  return [...groups.values()].map(group => {
    const {method, rank, batchSize, model, settings} = group[0]!.row;
    const modules = [...new Set(group.map(({row}) => row.module))];
    return {
      method,
      rank,
      batchSize,
      ...(model !== undefined && {model}),
      ...(settings && {settings}),
      blocks: group.length,
      seeds: new Set(group.map(({row}) => row.seed)).size,
      lambdaMax: median(group.map(({row}) => row.lambdaMax))!,
      lambdaMin: median(group.map(({row}) => row.lambdaMin))!,
      relative: median(group.flatMap(({relative}) => relative ?? [])),
      modules: modules.map(module => ({
        module,
        relative: median(group.flatMap(({row, relative}) => (row.module === module ? (relative ?? []) : []))),
      })),
    };
  });
}

/** Best rates beside the curvature, under one (task, metric). */
export interface RatesAndCurvature {
  task: string;
  metric: string;
  /** `place`: the rates among which the best one lies. */
  points: (CurvaturePlace & {method: string; lambdaMax: number; bestRate: number; place: number[]})[];
  correlation: RankCorrelation;
}

/** One entry a (task, metric) for which methods have both a best rate and a probed curvature. */
export function ratesAndCurvature(state: RunState): RatesAndCurvature[] {
  const curvature = curvatureByMethod(state);
  const groups = new Map<string, Pick<RatesAndCurvature, 'task' | 'metric' | 'points'>>();
  for (const {task, metric, rank, batchSize, model, settings, curves} of compare(state)) {
    const place = {rank, batchSize, ...(model !== null && {model}), ...(settings && {settings})};
    const key = JSON.stringify([task, metric]);
    const group = groups.get(key) ?? {task, metric, points: []};
    groups.set(key, group);
    for (const {method, peak} of curves) {
      const own = curvature.find(
        entry => entry.method === method && (placeOf(entry) === placeOf(place) || isPlain(entry, place)),
      );
      if (peak && own)
        group.points.push({
          ...{...place, method, lambdaMax: own.lambdaMax},
          ...{bestRate: peak.learningRate, place: peak.place},
        });
    }
  }
  return [...groups.values()]
    .filter(({points}) => points.length > 0)
    .map(group => ({
      ...group,
      correlation: rankCorrelation(
        group.points.map(({lambdaMax}) => lambdaMax),
        group.points.map(({bestRate}) => bestRate),
      ),
    }));
}

/** Curvature that says nothing of a model or of further conditions is that of all of them. */
function isPlain({model, settings, rank, batchSize}: CurvaturePlace, place: CurvaturePlace): boolean {
  return model === undefined && settings === undefined && rank === place.rank && batchSize === place.batchSize;
}

/** Fewer points than this say nothing about a correlation. */
const fewestPoints = 4;

/** What can be said of a group, in a sentence: a correlation and its number of points, no cause. */
export function correlationSentence({points, correlation, task}: RatesAndCurvature): string {
  const {rho, p, exact} = correlation;
  const what = `best learning rate (${task}) and median λmax over ${points.length} ${points.length === 1 ? 'point' : 'points'}`;
  if (points.length < fewestPoints || rho === null || p === null)
    return `${capital(what)}: too few different points for a correlation.`;
  const probability = p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
  const how = exact ? 'exact permutation test' : 'permutation test, 100,000 drawn';
  const weight = p < 0.05 ? '' : '; so few points can show this by chance';
  return `${capital(what)}: rank correlation ${rho.toFixed(2)} (${probability}, ${how})${weight}.`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

export const curvatureColumns = [
  {title: 'method', align: 'left'},
  {title: 'median λmax', align: 'right'},
  {title: "relative to LoRA's", align: 'right'},
  {title: 'median λmin', align: 'right'},
  {title: 'blocks', align: 'right'},
  {title: 'best rate predicted', align: 'right'},
  {title: 'best rate measured', align: 'right'},
] as const;

export interface CurvatureTable extends CurvaturePlace {
  rows: string[][];
}

/**
 * A table a (model, rank, batch size, further conditions). The prediction is a rule of thumb: the stable rate of gradient descent falls as 1/λmax (edge
 * of stability), so that a method's best rate is LoRA's measured one divided by its relative λmax.
 */
export function curvatureTables(state: RunState): CurvatureTable[] {
  // In the order of the sweep, whatever was probed first.
  const order = [...new Set(state.trials.map(({trial}) => trial.method as string))];
  const all = curvatureByMethod(state).sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  const [rates] = ratesAndCurvature(state);
  const tables = new Map<string, CurvatureTable>();
  for (const entry of all) {
    const {method, rank, batchSize, model, settings, lambdaMax, lambdaMin, relative, blocks} = entry;
    const place = {rank, batchSize, ...(model !== undefined && {model}), ...(settings && {settings})};
    const key = placeOf(place);
    const table = tables.get(key) ?? {...place, rows: []};
    tables.set(key, table);
    const rateOf = (name: string) =>
      rates?.points.find(point => point.method === name && (placeOf(point) === key || isPlain(place, point)))?.bestRate;
    const reference = rateOf('lora');
    const measured = rateOf(method);
    const predicted = reference !== undefined && relative !== null && relative > 0 ? reference / relative : undefined;
    table.rows.push([
      method,
      short(lambdaMax),
      relative === null ? '–' : `${short(relative)} ×`,
      short(lambdaMin),
      String(blocks),
      predicted === undefined ? '–' : method === 'lora' ? 'reference' : formatRate(predicted),
      measured === undefined ? '–' : formatRate(measured),
    ]);
  }
  return [...tables.values()];
}

/** As a heading. */
export function curvatureTitle(place: CurvaturePlace): string {
  return `Curvature at the start, ${settingInFull(place)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
