/**
 * What the probed curvature says: λmax relative to LoRA's, medians per method, and best learning rates beside it. A block
 * is {A, B} of one projection in one layer; λmax the largest eigenvalue of the loss Hessian over it.
 */
import {grouped} from '../../grouped.ts';
import {nameOf} from '../../sweep/sweep.ts';
import type {Curvature, RunState} from '../fold.ts';
import {formatRate} from '../format.ts';
import {compare} from '../verdict.ts';
import {type Axes, belongs, type Conditions, conditionsInWords, conditionsOf, settled} from './conditions.ts';
import {type RankCorrelation, rankCorrelation} from './rank-correlation.ts';
import {commonText, type StartOf, startKeys, startOf, startSettings, startText} from './starts.ts';

/** The reference: the weight itself, without adapters. */
export const fullWeight = 'full';

/** Every row with what tells its trial from others of the sweep; rows at the start have it. */
export function placedRows({
  curvature,
  trials,
  places,
}: Pick<RunState, 'curvature' | 'trials' | 'places'>): Curvature[] {
  return curvature.map(row => {
    const trial = row.trial === undefined ? undefined : trials[places[row.trial] ?? -1]?.trial;
    if (!trial) return row;
    const {name, model, settings, own} = trial;
    return {
      ...row,
      ...(name !== undefined && {name}),
      ...(model !== undefined && {model}),
      ...(settings && {settings}),
      ...(own && {own}),
    };
  });
}

/** λmax over that of LoRA's block at the same place; null where LoRA was not probed there, or its λmax is not above 0. */
export function relativeToLora(rows: readonly Curvature[]): (number | null)[] {
  // Trials behind step 0 have rates of their own: only the same rate is compared.
  const place = ({rank, batchSize, seed, step, layer, module, learningRate, ...of}: Curvature) =>
    JSON.stringify([rank, batchSize, seed, step, layer, module, learningRate, commonText(of)]);
  // Of several variants of LoRA the one without a name of its own is the reference.
  const loras = rows.filter(({method}) => method === 'lora').sort((a, b) => named(b) - named(a));
  const known = new Map(loras.map(row => [place(row), row.lambdaMax]));
  return rows.map(row => {
    const reference = known.get(place(row));
    return reference !== undefined && reference > 0 ? row.lambdaMax / reference : null;
  });
}

const named = ({name}: Curvature): number => (name === undefined ? 0 : 1);

/** The curvature of one method at the start of training. */
export interface MethodCurvature extends Omit<StartOf, 'name'> {
  /** The name that it is compared under. */
  method: string;
  rank: number;
  batchSize: number;
  /** Blocks, each at every seed. */
  blocks: number;
  seeds: number;
  /** Medians over all of them. */
  lambdaMax: number;
  /** Null where published results say nothing of it. */
  lambdaMin: number | null;
  /** Median of λmax relative to LoRA's; null without LoRA. */
  relative: number | null;
  /** The same by projection, in the order of their use. */
  modules: {module: string; relative: number | null}[];
}

/** One entry a (rank, batch size, values of axes, method), at step 0; the reference of whole weights is left out. */
export function curvatureByMethod({curvature}: Pick<RunState, 'curvature'>): MethodCurvature[] {
  const rows = curvature.filter(({step, method}) => step === 0 && method !== fullWeight);
  const relatives = relativeToLora(rows);
  const groups = grouped(
    rows.map((row, k) => ({row, relative: relatives[k]!})),
    ({row}) => JSON.stringify([row.rank, row.batchSize, row.method, startText(row)]),
  );
  return [...groups.values()].map(group => {
    const {method, rank, batchSize, ...of} = group[0]!.row;
    const {name = method, ...start} = startOf(of);
    const modules = [...new Set(group.map(({row}) => row.module))];
    return {
      method: name,
      rank,
      batchSize,
      ...start,
      blocks: group.length,
      seeds: new Set(group.map(({row}) => row.seed)).size,
      lambdaMax: median(group.map(({row}) => row.lambdaMax))!,
      lambdaMin: median(group.flatMap(({row}) => row.lambdaMin ?? [])),
      relative: median(group.flatMap(({relative}) => relative ?? [])),
      modules: modules.map(module => ({
        module,
        relative: median(group.flatMap(({row, relative}) => (row.module === module ? (relative ?? []) : []))),
      })),
    };
  });
}

/** What rows at the start are told apart by, tuned or not. */
export function startAxes(entries: readonly StartOf[], {fixed}: Pick<RunState, 'fixed'>): Axes {
  const given = entries.flatMap(({settings = {}, own = []}) => Object.keys(settings).filter(key => !own.includes(key)));
  return {conditions: startKeys(given), tuned: [], fixed};
}

/** Conditions as far as a start depends on them. */
const atStart = <C extends Conditions>({settings, ...group}: C): Omit<C, 'settings'> & Pick<Conditions, 'settings'> => {
  const own = startSettings(settings);
  return {...group, ...(own && {settings: own})};
};

/** The rows at the start under these conditions; those of whole weights are left out. */
export function startRows(state: Pick<RunState, 'curvature' | 'fixed'>, group: Conditions): Curvature[] {
  const start = state.curvature.filter(({step, method}) => step === 0 && method !== fullWeight);
  const axes = startAxes(start, state);
  return start.filter(row => belongs(row, group, axes));
}

/** λmax of one block relative to LoRA's, mean over seeds. */
export interface BlockRow {
  /** The name that it is compared under. */
  method: string;
  module: string;
  layer: number;
  relative: number;
}

/** The blocks of a condition at the start that can be compared with LoRA's; LoRA itself is 1 everywhere. */
export function blockRows(state: Pick<RunState, 'curvature' | 'fixed'>, group: Conditions): BlockRow[] {
  const rows = startRows(state, group);
  const blocks = new Map<string, BlockRow & {seeds: number}>();
  relativeToLora(rows).forEach((relative, k) => {
    const {method: kind, name: method = kind, module, layer} = rows[k]!;
    if (relative === null || relative <= 0) return;
    const key = `${method} ${module} ${layer}`;
    const known = blocks.get(key) ?? {method, module, layer, relative: 0, seeds: 0};
    const seeds = known.seeds + 1;
    blocks.set(key, {...known, relative: known.relative + (relative - known.relative) / seeds, seeds});
  });
  return [...blocks.values()];
}

/** Best rates beside the curvature, under one (task, metric). */
export interface RatesAndCurvature {
  task: string;
  metric: string;
  /** `place`: the rates among which the best one lies; `of`: whose curvature it is. */
  points: (Pick<MethodCurvature, 'method' | 'rank' | 'batchSize' | 'lambdaMax'> & {
    bestRate: number;
    place: number[];
    of: MethodCurvature;
  })[];
  correlation: RankCorrelation;
}

/** One entry a (task, metric) for which methods have both a best rate and a probed curvature. */
export function ratesAndCurvature(state: RunState): RatesAndCurvature[] {
  const curvature = curvatureByMethod(state);
  const axes = startAxes(curvature, state);
  const groups = new Map<string, Pick<RatesAndCurvature, 'task' | 'metric' | 'points'>>();
  for (const comparison of compare(state)) {
    const {task, metric, rank, batchSize, curves} = comparison;
    const key = JSON.stringify([task, metric]);
    const group = groups.get(key) ?? {task, metric, points: []};
    groups.set(key, group);
    const conditions = atStart(comparison);
    for (const {method, peak} of curves) {
      const own = curvature.filter(
        entry => entry.method === method && (belongs(entry, conditions, axes) || isPlain(entry, conditions)),
      );
      // Where a tuned axis moves the start, a best rate belongs to no one of them.
      if (peak && own.length === 1)
        group.points.push({
          ...{method, rank, batchSize, lambdaMax: own[0]!.lambdaMax},
          ...{bestRate: peak.learningRate, place: peak.place, of: own[0]!},
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
function isPlain({model, settings, rank, batchSize}: MethodCurvature, group: Conditions): boolean {
  return model === undefined && settings === undefined && rank === group.rank && batchSize === group.batchSize;
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

export interface CurvatureTable extends Conditions {
  rows: string[][];
}

/**
 * A table of every condition that the start depends on. The prediction is a rule of thumb: the stable rate of gradient descent falls as
 * 1/λmax (edge of stability), so that a method's best rate is LoRA's measured one divided by its relative λmax.
 */
export function curvatureTables(state: RunState): CurvatureTable[] {
  const all = inSweepOrder(curvatureByMethod(state), state);
  const axes = startAxes(all, state);
  const [rates] = ratesAndCurvature(state);
  const ratesOf = (entry: MethodCurvature): number[] =>
    (rates?.points ?? []).filter(({of}) => startOfEntry(of) === startOfEntry(entry)).map(({bestRate}) => bestRate);
  return startGroups(all, axes, state).map(group => {
    const own = all.filter(entry => belongs(entry, group, axes));
    const lora = own.find(({method}) => method === 'lora');
    const references = lora ? ratesOf(lora) : [];
    return {
      ...group,
      rows: own.map(entry => {
        const {method, lambdaMax, lambdaMin, relative, blocks} = entry;
        const predicted = relative === null || relative <= 0 ? [] : references.map(rate => rate / relative);
        return [
          method,
          short(lambdaMax),
          relative === null ? '–' : `${short(relative)} ×`,
          lambdaMin === null ? '–' : short(lambdaMin),
          String(blocks),
          method === 'lora' && predicted.length > 0 ? 'reference' : span(predicted),
          span(ratesOf(entry)),
        ];
      }),
    };
  });
}

/** Different for entries that differ. */
const startOfEntry = ({method, rank, batchSize, ...of}: MethodCurvature): string =>
  JSON.stringify([method, rank, batchSize, startText(of)]);

/** The names that methods are compared under: of trials in the order of the sweep, then of what was probed only, as published curvature is. */
export function methodsOf({trials, curvature}: Pick<RunState, 'trials' | 'curvature'>): string[] {
  const probed = curvature.filter(({method}) => method !== fullWeight);
  return [...new Set([...trials.map(({trial}) => nameOf(trial)), ...probed.map(({method, name = method}) => name)])];
}

/** In the order of the sweep, whatever was probed first. */
export function inSweepOrder<E extends {method: string}>(
  entries: readonly E[],
  {trials}: Pick<RunState, 'trials'>,
): E[] {
  const order = [...new Set(trials.map(({trial}) => nameOf(trial)))];
  return entries.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
}

/** The conditions that entries at the start stand in, each once, in the order of the sweep. */
function startGroups(
  entries: readonly MethodCurvature[],
  axes: Axes,
  {trials}: Pick<RunState, 'trials'>,
): Conditions[] {
  const groups = new Map(
    entries.map(entry => {
      const group = conditionsOf(entry, axes);
      return [JSON.stringify(group), group] as const;
    }),
  );
  const place = (group: Conditions) => trials.findIndex(({trial}) => belongs(trial, group, axes));
  return settled([...groups.values()], entries).toSorted((a, b) => place(a) - place(b));
}

/** Rates as one, or from the lowest to the highest. */
function span(rates: readonly number[]): string {
  const [low, high] = [Math.min(...rates), Math.max(...rates)].map(formatRate);
  return rates.length === 0 ? '–' : low === high ? low! : `${low} … ${high}`;
}

/** As a heading. */
export function curvatureTitle(conditions: Conditions): string {
  return `Curvature at the start, ${whereInWords(conditions)}`;
}

/** The model before all others, where there are several. */
export function whereInWords(conditions: Conditions): string {
  return [...(conditions.model === null ? [] : [conditions.model]), conditionsInWords(conditions)].join(', ');
}

/** Three digits, with an exponent where there would be many zeros. */
function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  return size !== 0 && (size >= 1e5 || size < 1e-3) ? rounded.toExponential().replace('+', '') : String(rounded);
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
