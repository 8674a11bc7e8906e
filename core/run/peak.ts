/** One method over its learning rates: mean and spread over seeds at each, and the best of them. */

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
}

export interface Peak {
  method: string;
  learningRate: number;
  mean: number;
  std: number | null;
  /** Seeds behind the mean. */
  seeds: number;
  /** Higher rates with the same mean, to nine digits: the lowest one is taken. */
  tied: number[];
  /** Rates whose mean reaches 90 % of the peak; for a loss: of which 90 % is no more than the lowest loss. */
  near: number[];
  /** The best rate is the first or the last one tried, so that a better one may lie outside. */
  edge: 'lowest' | 'highest' | null;
}

export interface MethodCurve {
  method: string;
  /** By rising rate. */
  points: RatePoint[];
  /** Null where no rate has a value. */
  peak: Peak | null;
}

/** How a metric is to be read: a share of 0..1, a loss, or a number that speaks for itself (published percentages). */
export function unitOf(metric: string): 'share' | 'loss' | 'number' {
  if (lowerIsBetter(metric)) return 'loss';
  return metric === 'accuracy' || metric.startsWith('pass@') ? 'share' : 'number';
}

/** Loss and perplexity are better low, everything else high. */
export function lowerIsBetter(metric: string): boolean {
  return metric === 'loss' || metric === 'perplexity';
}

/** Mean and sample standard deviation of one rate's values, one a seed. */
export function ratePoint(learningRate: number, values: number[], diverged = 0): RatePoint {
  const seeds = values.length;
  if (seeds === 0) return {learningRate, seeds, mean: null, std: null, diverged};
  const mean = values.reduce((sum, value) => sum + value, 0) / seeds;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {learningRate, seeds, mean, std: seeds < 2 ? null : Math.sqrt(squares / (seeds - 1)), diverged};
}

export function methodCurve(method: string, points: RatePoint[], metric: string): MethodCurve {
  const sorted = points.slice().sort((a, b) => a.learningRate - b.learningRate);
  return {method, points: sorted, peak: peakOf(method, sorted, lowerIsBetter(metric))};
}

/**
 * A rate where a seed diverged is passed over as long as there is another one: the mean of the seeds that survived
 * would flatter it.
 */
function peakOf(method: string, points: RatePoint[], lowest: boolean): Peak | null {
  const valued = points.flatMap(point => (point.mean === null ? [] : [{...point, mean: point.mean}]));
  const steady = valued.filter(point => point.diverged === 0);
  const candidates = steady.length > 0 ? steady : valued;
  const means = candidates.map(point => point.mean);
  const top = lowest ? Math.min(...means) : Math.max(...means);
  const [best, ...tied] = candidates.filter(point => Math.abs(point.mean - top) <= 1e-9 * Math.max(1, Math.abs(top)));
  if (!best) return null;
  const near = candidates.filter(point => (lowest ? 0.9 * point.mean <= best.mean : point.mean >= 0.9 * best.mean));
  return {
    method,
    learningRate: best.learningRate,
    mean: best.mean,
    std: best.std,
    seeds: best.seeds,
    tied: tied.map(point => point.learningRate),
    near: near.map(point => point.learningRate),
    // Where all do the same, no end of the grid is better than its middle.
    edge: tied.length > 0 && tied.length === candidates.length - 1 ? null : edgeOf(best.learningRate, points),
  };
}

function edgeOf(learningRate: number, points: RatePoint[]): Peak['edge'] {
  if (points.length < 2) return null;
  if (learningRate === points[0]?.learningRate) return 'lowest';
  return learningRate === points.at(-1)?.learningRate ? 'highest' : null;
}
