/** One method over its learning rates: mean and spread over seeds at each, and the best of them. */
import {grouped} from '../grouped.ts';
import {mean as meanOf} from '../numbers.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import {dunnett} from './verdict/dunnett.ts';
import {pooled} from './verdict/noise.ts';

/** One method at one rate, over the seeds that have a value. */
export interface RatePoint {
  learningRate: number;
  /** Seeds with a value. */
  seeds: number;
  mean: number | null;
  /** Sample standard deviation (n - 1); null with fewer than two seeds. */
  std: number | null;
  /** Seeds whose training diverged here; they have no value. */
  diverged: number;
  /** A search trained it for a prefix of the schedule only: no seed has a value. */
  scanned?: true;
  /** Values of the further axes that are tuned; absent where the rate is tuned alone. */
  settings?: Settings;
  /** Which questions each of the seeds answered rightly (`packRight`), where all of them have stored that. */
  right?: string[];
}

export interface Peak {
  method: string;
  learningRate: number;
  /** The best values of the further axes that are tuned; absent where the rate is tuned alone. */
  settings?: Settings;
  mean: number;
  std: number | null;
  /** Seeds behind the mean. */
  seeds: number;
  /** As of the rate. */
  right?: string[];
  /** Other rates with the same mean, to nine digits: the middle one of all is taken. */
  tied: number[];
  /**
   * The rates around the best one that end within the noise of it, itself among them, rising: the best rate lies there, and
   * which of them it is, is not known. Only one where it is known.
   */
  place: number[];
  /** Rates whose mean reaches 90 % of the peak; for a loss: of which 90 % is no more than the lowest loss. */
  near: number[];
  /** The best rate is the first or the last one tried, so that a better one may lie outside. */
  edge: 'lowest' | 'highest' | null;
}

/**
 * How a search came to a best rate. `scan`: it is one of the two rates that the scan pointed at; `walk`: further whole trainings led away from those; `again`: one
 * seed was not believed, or the method was challenged, and several rates got all seeds; `grid`: there was nothing to search in.
 */
export type Found = 'scan' | 'walk' | 'again' | 'grid';

export interface MethodCurve {
  method: string;
  /** By rising rate; of several tuned axes at the best values of the others. */
  points: RatePoint[];
  /** Where further axes are tuned: the points at each combination of their values, `points` among them. */
  slices?: RatePoint[][];
  /** Null where no rate has a value. */
  peak: Peak | null;
  /** How a search came to the peak; absent without a search. */
  found?: Found;
}

/** A share of 0..1, a loss, how much a loss has changed, or a number that speaks for itself (published percentages). */
export type Unit = 'share' | 'loss' | 'change' | 'number';

/** How a metric is to be read. */
export function unitOf(metric: string): Unit {
  if (metric === 'loss' || metric === 'perplexity') return 'loss';
  if (metric === forgettingMetric) return 'change';
  return /^(accuracy(_|$)|pass@)/.test(metric) ? 'share' : 'number';
}

/** By how much the loss on a text that the base knew has grown; below 0 where it has fallen. */
export const forgettingMetric = 'forgetting';

/** Loss, perplexity and forgetting are better low, everything else high. */
export function lowerIsBetter(metric: string): boolean {
  return ['loss', 'change'].includes(unitOf(metric));
}

/** Mean and sample standard deviation of one rate's values, one a seed. */
export function ratePoint(learningRate: number, values: number[], diverged = 0): RatePoint {
  const seeds = values.length;
  if (seeds === 0) return {learningRate, seeds, mean: null, std: null, diverged};
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {learningRate, seeds, mean, std: seeds < 2 ? null : Math.sqrt(squares / (seeds - 1)), diverged};
}

export interface PeakRules {
  /** Means that differ by less are as good, where the noise is not known: in the metric's unit, of a loss as a share. */
  margin: number;
  /** Where a search has chosen; absent: the best place is looked for among all. */
  chosen?: Pick<RatePoint, 'learningRate' | 'settings'>;
}

/** `points` of several tuned axes name their values in `settings`. `rules` matter for the best place only. */
export function methodCurve(
  method: string,
  points: RatePoint[],
  metric: string,
  rules: PeakRules = {margin: 0},
): MethodCurve {
  const sorted = points.slice().sort((a, b) => a.learningRate - b.learningRate);
  const slices = [...grouped(sorted, ({settings}) => JSON.stringify(settings)).values()];
  const peak = peakOf(method, slices, metric, rules);
  if (slices.length < 2) return {method, points: sorted, peak};
  const best = slices.find(([point]) => isSame(point?.settings, peak?.settings)) ?? slices[0]!;
  return {method, points: best, peak, slices};
}

const isSame = (a: Settings | undefined, b: Settings | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

type ValuedPoint = RatePoint & {mean: number};

/**
 * The best mean among the rates with the most seeds: that of one seed is the best by luck too often. A rate where a seed diverged
 * is passed over as long as there is another one: the mean of the seeds that survived would flatter it. Of a search it is
 * the chosen rate, or one with as many seeds (several at least) that did better, as a challenged one may.
 */
function peakOf(method: string, slices: RatePoint[][], metric: string, rules: PeakRules): Peak | null {
  const valued = slices.flat().flatMap(point => (point.mean === null ? [] : [{...point, mean: point.mean}]));
  const steady = valued.filter(point => point.diverged === 0);
  const candidates = steady.length > 0 ? steady : valued;
  const eligible = eligibleOf(candidates, rules.chosen);
  const lowest = lowerIsBetter(metric);
  const means = eligible.map(point => point.mean);
  const top = lowest ? Math.min(...means) : Math.max(...means);
  const all = eligible.filter(point => Math.abs(point.mean - top) <= 1e-9 * Math.max(1, Math.abs(top)));
  // Of several values of further axes that do as well, the first ones of the file.
  const tied = all.filter(({settings}) => isSame(settings, all[0]?.settings));
  const best = tied[Math.floor((tied.length - 1) / 2)];
  if (!best) return null;
  const points = slices.find(([point]) => isSame(point?.settings, best.settings))!;
  const beside = candidates.filter(({settings}) => isSame(settings, best.settings));
  const near = beside.filter(point => isNear(point.mean, best.mean, lowest));
  return {
    method,
    learningRate: best.learningRate,
    ...(best.settings && {settings: best.settings}),
    mean: best.mean,
    std: best.std,
    seeds: best.seeds,
    ...(best.right && {right: best.right}),
    tied: tied.filter(point => point !== best).map(point => point.learningRate),
    place: placeOf(best, points, near, unitOf(metric) === 'loss' ? rules.margin * best.mean : rules.margin),
    near: near.map(point => point.learningRate),
    // Where all do the same, no end of the grid is better than its middle.
    edge: tied.length > 1 && tied.length === beside.length ? null : edgeOf(best.learningRate, points),
  };
}

/** Within 90 % of the best: of a loss, 90 % of it is no more than the lowest; where it fell below 0, nine tenths of that fall. */
function isNear(mean: number, best: number, lowest: boolean): boolean {
  if (!lowest) return mean >= 0.9 * best;
  return best < 0 ? mean <= 0.9 * best : 0.9 * mean <= best;
}

function eligibleOf(candidates: ValuedPoint[], at: PeakRules['chosen']): ValuedPoint[] {
  const chosen =
    at && candidates.find(point => point.learningRate === at.learningRate && isSame(point.settings, at.settings));
  if (chosen) return candidates.filter(point => point === chosen || point.seeds >= Math.max(2, chosen.seeds));
  const most = Math.max(...candidates.map(({seeds}) => seeds));
  return candidates.filter(({seeds}) => seeds === most);
}

/** From the best rate outwards as long as a rate is not told apart from it. */
function placeOf(best: ValuedPoint, points: RatePoint[], near: ValuedPoint[], margin: number): number[] {
  const noise = noiseNear(near);
  const at = points.findIndex(point => point.learningRate === best.learningRate);
  const isAlike = ({mean, seeds, diverged}: RatePoint): boolean => {
    if (mean === null || diverged > best.diverged) return false;
    const error = noise === null ? margin : noise * Math.sqrt(1 / best.seeds + 1 / seeds);
    return Math.abs(mean - best.mean) <= Math.max(error, 1e-9 * Math.max(1, Math.abs(best.mean)));
  };
  let [first, last] = [at, at];
  while (first > 0 && isAlike(points[first - 1]!)) first--;
  while (last < points.length - 1 && isAlike(points[last + 1]!)) last++;
  return points.slice(first, last + 1).map(point => point.learningRate);
}

/**
 * How far a rate near the best may be off it by chance, for one seed each; null where none of them has two seeds. The middle one
 * of their variances counts, taken up to what it is on average: a rate or two where training is rough do not widen it.
 */
function noiseNear(near: ValuedPoint[]): number | null {
  const all = pooled(near);
  if (!all) return null;
  const variances = near.flatMap(({std}) => (std === null ? [] : [std ** 2])).sort((a, b) => a - b);
  const each = all.freedom / variances.length;
  // The median of chi squared beside its mean (Wilson & Hilferty 1931).
  const middle = variances[Math.floor(variances.length / 2)]! / (1 - 2 / (9 * each)) ** 3;
  return dunnett(0.95, Math.max(1, near.length - 1), all.freedom) * Math.sqrt(Math.min(middle, all.variance));
}

function edgeOf(learningRate: number, points: RatePoint[]): Peak['edge'] {
  if (points.length < 2) return null;
  if (learningRate === points[0]?.learningRate) return 'lowest';
  return learningRate === points.at(-1)?.learningRate ? 'highest' : null;
}
