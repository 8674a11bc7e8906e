/** What a sweep says about its methods, as numbers and in words: no more than the numbers allow. */
import {noRank} from '../sweep/sweep.ts';
import {countedRun} from './dropped-trials.ts';
import type {Aggregate, RunState, TrialView} from './fold.ts';
import {count, formatDifference, formatMean, formatMeasure, formatRate, formatValue} from './format.ts';
import {type MethodCurve, methodCurve, type Peak, type RatePoint, ratePoint} from './peak.ts';
import {tailMean} from './series.ts';
import {type Spread, spreadOf} from './spread.ts';

/** All methods under one (model, task, metric, rank, batch size): what may be compared with each other. */
export interface Comparison {
  /** Null where the run has one model. */
  model: string | null;
  task: string;
  metric: string;
  rank: number;
  batchSize: number;
  /** In the order of the sweep. */
  curves: MethodCurve[];
  spread: Spread | null;
}

type Group = Pick<Comparison, 'model' | 'task' | 'metric' | 'rank' | 'batchSize'>;

/** The task of a sweep without evaluations: the loss of the training itself. */
const training = {task: 'training', metric: 'loss'};

/**
 * One comparison for every (model, task, metric, rank, batch size) with a value of a finished trial or an aggregate. A sweep that evaluates
 * nothing is compared by its training loss, averaged over the last tenth of the steps. Trials that the sweep file no longer has are left out.
 */
export function compare(run: RunState): Comparison[] {
  const state = countedRun(run);
  const evaluates = state.trials.some(view => view.evaluations.length > 0);
  const groups = new Map<string, Group>();
  for (const {trial, evaluations} of state.trials) {
    for (const {task, metric} of evaluates ? evaluations : [training]) {
      const {model = null, rank, batchSize} = trial;
      const group: Group = {model, task, metric, rank, batchSize};
      groups.set(JSON.stringify(group), group);
    }
  }
  for (const {model = null, task, metric, rank, batchSize} of state.aggregates) {
    const group: Group = {model, task, metric, rank, batchSize};
    groups.set(JSON.stringify(group), group);
  }
  return withoutStrays([...groups.values()]).flatMap(group => {
    const curves = curvesOf(state, group);
    return curves.some(curve => curve.peak) ? [{...group, curves, spread: spreadOf(curves, group.metric)}] : [];
  });
}

/** Trials without a rank are the baseline at every rank, and a group of their own only where there is nothing else. */
function withoutStrays(groups: Group[]): Group[] {
  const others = groups.filter(({rank}) => rank !== noRank).map(group => JSON.stringify({...group, rank: noRank}));
  return groups.filter(group => group.rank !== noRank || !others.includes(JSON.stringify(group)));
}

/** What is compared, as a heading. */
export function title({model, task, metric, rank, batchSize}: Comparison): string {
  const size = rank === noRank ? 'all weights' : `rank ${rank}`;
  return `${model === null ? '' : `${model}: `}${formatMeasure(task, metric)}, ${size}, batch size ${batchSize}`;
}

function curvesOf(state: RunState, group: Group): MethodCurve[] {
  const methods = new Map<string, Map<number, Seeds>>();
  const seedsOf = (method: string, learningRate: number): Seeds => {
    const rates = methods.get(method) ?? new Map<number, Seeds>();
    methods.set(method, rates);
    const seeds = rates.get(learningRate) ?? {values: [], diverged: 0};
    rates.set(learningRate, seeds);
    return seeds;
  };
  for (const view of state.trials) {
    if (!belongs(view.trial, group)) continue;
    const seeds = seedsOf(view.trial.method, view.trial.learningRate);
    if (view.state === 'diverged') seeds.diverged++;
    const value = view.state === 'finished' ? latestValue(view, group) : null;
    if (value !== null) seeds.values.push(value);
  }
  for (const aggregate of state.aggregates) {
    if (!belongs(aggregate, group) || aggregate.task !== group.task || aggregate.metric !== group.metric) continue;
    seedsOf(aggregate.method, aggregate.learningRate).aggregate = aggregate;
  }
  return [...methods].map(([method, rates]) =>
    methodCurve(
      method,
      [...rates].map(([learningRate, seeds]) => pointOf(learningRate, seeds)),
      group.metric,
    ),
  );
}

/** What is known at one rate. */
interface Seeds {
  values: number[];
  diverged: number;
  aggregate?: Aggregate;
}

/** Values of single seeds say more than an aggregate does. */
function pointOf(learningRate: number, {values, diverged, aggregate}: Seeds): RatePoint {
  if (values.length > 0 || !aggregate) return ratePoint(learningRate, values, diverged);
  const {mean, std, seeds} = aggregate;
  return {learningRate, seeds, mean, std, diverged};
}

function belongs(one: {model?: string; rank: number; batchSize: number}, group: Group): boolean {
  const ranked = one.rank === group.rank || one.rank === noRank;
  return (one.model ?? null) === group.model && ranked && one.batchSize === group.batchSize;
}

/** The trial's value at its latest evaluation. */
function latestValue({evaluations, losses}: TrialView, {task, metric}: Group): number | null {
  if (task === training.task) return tailMean(losses, 0.1);
  const matching = evaluations.filter(one => one.task === task && one.metric === metric);
  const last = Math.max(...matching.map(one => one.step));
  return matching.find(one => one.step === last)?.value ?? null;
}

/** The comparison in a few sentences. */
export function verdict({metric, curves, spread}: Comparison): string[] {
  const peaks = curves.flatMap(curve => curve.peak ?? []);
  const sentences = spread ? spreadInWords(spread, metric) : peaks.map(peak => peakInWords(peak, metric));
  sentences.push(...unequalSeeds(curves));
  for (const edge of ['lowest', 'highest'] as const) {
    const at = peaks.filter(peak => peak.edge === edge).map(peak => peak.method);
    if (at.length === 0) continue;
    sentences.push(`The best rate of ${list(at)} is the ${edge} one tried: a better one may lie outside the grid.`);
  }
  return sentences;
}

/** A mean over few seeds is more often the best by chance than one over many: that is said. */
function unequalSeeds(curves: MethodCurve[]): string[] {
  const numbers = curves.flatMap(({points}) =>
    points.flatMap(({seeds, diverged}) => (seeds > 0 ? [seeds + diverged] : [])),
  );
  const [fewest, most] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length === 0 || fewest === most) return [];
  return [
    `The rates have unequal numbers of seeds, ${fewest} to ${most}: a mean over fewer ones is more often the best by chance.`,
  ];
}

function peakInWords({method, learningRate, mean, std, seeds}: Peak, metric: string): string {
  return `${method} is best at ${formatRate(learningRate)}: ${formatMean(mean, std, metric)} (${count(seeds, 'seed')}).`;
}

function spreadInWords(spread: Spread, metric: string): string[] {
  const [best, worst] = [spread.ranking[0]!, spread.ranking.at(-1)!];
  const difference = formatDifference(spread.peaks, metric);
  const sentences = [
    `Each at its own best rate, the ${spread.ranking.length} methods lie ${difference} apart: ` +
      `from ${best.method} with ${formatValue(best.mean, metric)} to ${worst.method} with ${formatValue(worst.mean, metric)}.`,
    noiseInWords(spread, metric),
  ];
  const reference = spread.ranking.find(peak => peak.method === 'lora') ?? best;
  const shared = spread.atRate.find(({learningRate}) => learningRate === reference.learningRate);
  if (shared) {
    sentences.push(
      `At one shared rate, the ${formatRate(shared.learningRate)} that suits ${reference.method} best, ` +
        `they lie ${formatDifference(shared.spread, metric)} apart.`,
    );
  }
  return sentences;
}

function noiseInWords({ranking, noise, behind}: Spread, metric: string): string {
  const seeds = ranking.map(peak => peak.seeds);
  const [fewest, most] = [Math.min(...seeds), Math.max(...seeds)];
  const n = fewest === most ? `n = ${count(most, 'seed')} a rate` : `n = ${fewest} to ${count(most, 'seed')} a rate`;
  if (noise === null) return `With ${n} nobody can say how much of that is chance.`;
  const grounds = `${n}, pooled standard deviation ${formatDifference(noise, metric)}`;
  if (noise === 0) return `The seeds agree exactly (${n}), which says nothing about chance.`;
  if (behind.length === 0) return `Chance between seeds is enough to explain that (${grounds}): it is no ranking.`;
  const names = list(behind.map(peak => peak.method));
  const verb = behind.length === 1 ? 'is' : 'are';
  return `Only ${names} ${verb} behind ${ranking[0]!.method} by more than chance between seeds explains (${grounds}; t test at 5 % over all pairs).`;
}

function list(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
