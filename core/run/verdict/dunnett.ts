/**
 * Many methods against one baseline (Dunnett 1955, 1964): how many standard errors a difference must have, so that with the given
 * confidence none of `k` comparisons with the same baseline is called by chance alone.
 */
import {logGamma, studentQuantile} from './student.ts';

const known = new Map<string, number>();

/**
 * Two-sided critical value: the c with P(|T_i| < c for all i) = `confidence`.
 *
 * `k`: methods beside the baseline. `freedom`: degrees of freedom of the pooled deviation, from 1. `correlation` of two
 * differences: 1/2 where all have as many seeds; where they have not, the smallest of them is safe (Slepian's inequality).
 */
export function dunnett(confidence: number, k: number, freedom: number, correlation = 0.5): number {
  const key = `${confidence} ${k} ${freedom} ${correlation}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const critical = k === 1 ? studentQuantile(confidence, freedom) : criticalOf(confidence, k, freedom, correlation);
  if (known.size > 10_000) known.clear();
  known.set(key, critical);
  return critical;
}

/** It lies between those of one comparison and of `k` independent ones (Šidák 1967). */
function criticalOf(confidence: number, k: number, freedom: number, correlation: number): number {
  const chis = chiGrid(freedom);
  const missing = (c: number): number => jointly(c, k, correlation, chis) - confidence;
  let [low, high] = [studentQuantile(confidence, freedom), studentQuantile(confidence ** (1 / k), freedom)];
  // Bisection and, where it is nearer, the secant: some five evaluations.
  let [atLow, atHigh] = [missing(low), missing(high)];
  for (let turn = 0; turn < 60 && high - low > 1e-7 * high; turn++) {
    const secant = low - (atLow * (high - low)) / (atHigh - atLow);
    const middle = turn % 3 === 2 ? (low + high) / 2 : secant;
    const value = missing(middle);
    if (Math.abs(value) < 1e-10) [low, high] = [middle, middle];
    else if (value < 0) [low, atLow] = [middle, value];
    else [high, atHigh] = [middle, value];
  }
  return (low + high) / 2;
}

interface Weighted {
  at: number;
  weight: number;
}

/** Points and weights of s = chi / sqrt(freedom), evenly over its logarithm from the mode outwards, until nothing more comes. */
function chiGrid(freedom: number): Weighted[] {
  // The fewer degrees, the less like a bell: the trapezoidal rule needs finer steps then.
  const step = (freedom < 20 ? 0.5 : 0.8) / Math.sqrt(2 * freedom);
  const norm = (freedom / 2) * Math.log(freedom / 2) - logGamma(freedom / 2) + Math.log(2);
  const at = (place: number): Weighted => {
    const log = place * step;
    return {at: Math.exp(log), weight: step * Math.exp(norm + freedom * (log - Math.exp(2 * log) / 2))};
  };
  const points = [at(0)];
  for (const way of [1, -1]) {
    for (let place = way; ; place += way) {
      const point = at(place);
      if (point.weight < 1e-13) break;
      points.push(point);
    }
  }
  return points;
}

/** The control's own error, which all differences share: normal, evenly spaced. Errors of either sign count alike, so that one stands for both. */
const controls: Weighted[] = Array.from({length: 16}, (_, place) => {
  const at = 0.5 * place;
  return {at, weight: ((place === 0 ? 0.5 : 1) * Math.exp(-(at ** 2) / 2)) / Math.sqrt(2 * Math.PI)};
});

/** P(|T_i| < c for all i): a sum over the chi, and within it one over the control. */
function jointly(c: number, k: number, correlation: number, chis: readonly Weighted[]): number {
  const [shared, own] = [Math.sqrt(correlation), Math.sqrt(1 - correlation)];
  let sum = 0;
  for (const chi of chis) {
    let within = 0;
    for (const {at, weight} of controls) {
      const upper = normalBelow((c * chi.at + shared * at) / own);
      const lower = normalBelow((-c * chi.at + shared * at) / own);
      within += weight * (upper - lower) ** k;
    }
    sum += chi.weight * within;
  }
  return sum;
}

/** The standard normal distribution function, to double precision (Hart 1968, algorithm 5666, as West 2005 writes it). */
export function normalBelow(x: number): number {
  const size = Math.abs(x);
  if (size > 37) return x > 0 ? 1 : 0;
  const density = Math.exp((-size * size) / 2);
  const tail = size < 7.07106781186547 ? density * ratio(size) : density / (2.506628274631 * farFraction(size));
  return x > 0 ? 1 - tail : tail;
}

function ratio(x: number): number {
  const above =
    (((((3.52624965998911e-2 * x + 0.700383064443688) * x + 6.37396220353165) * x + 33.912866078383) * x +
      112.079291497871) *
      x +
      221.213596169931) *
      x +
    220.206867912376;
  const below =
    ((((((8.83883476483184e-2 * x + 1.75566716318264) * x + 16.064177579207) * x + 86.7807322029461) * x +
      296.564248779674) *
      x +
      637.333633378831) *
      x +
      793.826512519948) *
      x +
    440.413735824752;
  return above / below;
}

function farFraction(x: number): number {
  return x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))));
}
