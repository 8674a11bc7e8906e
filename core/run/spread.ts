/** How far methods lie apart, each at its own best rate, and whether the seeds allow to tell them apart. */
import {lowerIsBetter, type MethodCurve, type Peak} from './peak.ts';

export interface Spread {
  /** Best first. */
  ranking: Peak[];
  /** Between the best and the worst peak. */
  peaks: number;
  /** Between the methods at one shared rate, for every rate that all of them have a value for. */
  atRate: {learningRate: number; spread: number}[];
  /** Pooled sample standard deviation of the peaks over seeds; null where no peak has two seeds. */
  noise: number | null;
  /** Peaks that are worse than the best by more than this noise explains; empty where that cannot be said. */
  behind: Peak[];
  /** Of each other method's peak to LoRA's, in the order given; empty without LoRA. */
  gaps: Gap[];
}

/** A method's peak against LoRA's. */
export interface Gap {
  method: string;
  /** Mean less LoRA's mean. */
  difference: number;
  /**
   * Half of the interval around `difference` in which the true one lies, at 95 % for all pairs of methods together;
   * null where the noise is not known or nought.
   */
  halfWidth: number | null;
}

/** Null with fewer than two methods. */
export function spreadOf(curves: MethodCurve[], metric: string): Spread | null {
  const peaks = curves.flatMap(curve => curve.peak ?? []);
  if (peaks.length < 2) return null;
  const sign = lowerIsBetter(metric) ? 1 : -1;
  const ranking = peaks.slice().sort((a, b) => sign * (a.mean - b.mean));
  const [best, worst] = [ranking[0]!, ranking.at(-1)!];
  const {noise, freedom} = pooled(peaks);
  return {
    ranking,
    peaks: Math.abs(best.mean - worst.mean),
    atRate: sharedRates(curves.filter(curve => curve.peak)),
    noise,
    gaps: gapsOf(peaks, noise, freedom),
    behind: noise ? ranking.slice(1).filter(peak => isApart(best, peak, noise, freedom, peaks.length)) : [],
  };
}

/** One standard deviation for all peaks: two or three seeds of one method alone say too little. */
function pooled(peaks: Peak[]): {noise: number | null; freedom: number} {
  let [squares, freedom] = [0, 0];
  for (const {std, seeds} of peaks) {
    if (std === null) continue;
    squares += std ** 2 * (seeds - 1);
    freedom += seeds - 1;
  }
  return {noise: freedom === 0 ? null : Math.sqrt(squares / freedom), freedom};
}

/**
 * Two-sided t test at 5 % over all pairs of methods together (Bonferroni), with the pooled deviation. That a peak was
 * itself picked as the best of several rates is not corrected for.
 */
function isApart(best: Peak, other: Peak, noise: number, freedom: number, methods: number): boolean {
  const pairs = (methods * (methods - 1)) / 2;
  const error = noise * Math.sqrt(1 / best.seeds + 1 / other.seeds);
  return 1 - studentWithin(Math.abs(best.mean - other.mean) / error, freedom) < 0.05 / pairs;
}

/** The same test as an interval: a method is behind or ahead where nought lies outside. */
function gapsOf(peaks: Peak[], noise: number | null, freedom: number): Gap[] {
  const lora = peaks.find(peak => peak.method === 'lora');
  if (!lora) return [];
  const pairs = (peaks.length * (peaks.length - 1)) / 2;
  const t = noise ? studentQuantile(1 - 0.05 / pairs, freedom) : null;
  return peaks
    .filter(peak => peak !== lora)
    .map(peak => ({
      method: peak.method,
      difference: peak.mean - lora.mean,
      halfWidth: noise && t ? t * noise * Math.sqrt(1 / lora.seeds + 1 / peak.seeds) : null,
    }));
}

/** The t with P(|T| < t) = `within`, by bisection to double precision. */
export function studentQuantile(within: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentWithin(high, freedom) < within) high *= 2;
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (studentWithin(middle, freedom) < within) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(|T| < t) of Student's distribution with a whole number of degrees of freedom (Abramowitz & Stegun 26.7.3-4). */
export function studentWithin(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cosine = Math.cos(angle);
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

function sharedRates(curves: MethodCurve[]): Spread['atRate'] {
  return (curves[0]?.points ?? []).flatMap(({learningRate}) => {
    const means = curves.flatMap(
      curve => curve.points.find(point => point.learningRate === learningRate && point.mean !== null)?.mean ?? [],
    );
    return means.length < curves.length ? [] : [{learningRate, spread: Math.max(...means) - Math.min(...means)}];
  });
}
