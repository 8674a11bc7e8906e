/** Spearman's rank correlation with its permutation p-value. */
import {mean} from '../../numbers.ts';

export interface RankCorrelation {
  /** Spearman's rho, -1 … 1; null where one side does not vary or there are fewer than three points. */
  rho: number | null;
  /** Two-sided: the share of all pairings whose |rho| is at least as large. */
  p: number | null;
  /** Whether every pairing was looked at; else as many as `samples` drawn ones. */
  exact: boolean;
  points: number;
}

/** 9! = 362,880 pairings take some hundredths of a second. */
const mostForExact = 9;
/** Pairings drawn where there are too many to look at all: a p-value of 0.05 is then known to ± 0.0014 (95 %). */
const samples = 100_000;
/** Below this, differences of rho are rounding. */
const tolerance = 1e-12;

/**
 * Spearman's rho of paired values (ranks of ties are their mean), and its two-sided p-value by permutation: exact up to nine
 * points, beyond that from 100,000 pairings drawn by a fixed linear congruential generator (Numerical Recipes), so that the
 * same numbers give the same p-value.
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): RankCorrelation {
  const points = x.length;
  const exact = points <= mostForExact;
  const [a, b] = [centred(ranks(x)), centred(ranks(y))];
  const scale = Math.sqrt(dot(a, a) * dot(b, b));
  if (points < 3 || scale === 0) return {rho: null, p: null, exact, points};
  const observed = Math.abs(dot(a, b)) - tolerance * scale;
  let [extreme, all] = [0, 0];
  for (const order of exact ? permutations(b) : shuffles(b)) {
    all++;
    if (Math.abs(dot(a, order)) >= observed) extreme++;
  }
  return {rho: dot(a, b) / scale, p: extreme / all, exact, points};
}

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  return values.map(value => {
    const below = values.filter(other => other < value).length;
    const equal = values.filter(other => other === value).length;
    return below + (equal + 1) / 2;
  });
}

function centred(values: number[]): number[] {
  const middle = mean(values);
  return values.map(value => value - middle);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
}

/** Every order of the values, one after another in the same array (Heap 1963). */
function* permutations(values: readonly number[]): Generator<readonly number[]> {
  const order = [...values];
  const counters = order.map(() => 0);
  yield order;
  for (let level = 0; level < order.length; ) {
    if (counters[level]! < level) {
      swap(order, level % 2 === 0 ? 0 : counters[level]!, level);
      yield order;
      counters[level]!++;
      level = 0;
    } else {
      counters[level] = 0;
      level++;
    }
  }
}

function* shuffles(values: readonly number[]): Generator<readonly number[]> {
  const order = [...values];
  let state = 20_260_204;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let sample = 0; sample < samples; sample++) {
    for (let k = order.length - 1; k > 0; k--) swap(order, Math.floor(next() * (k + 1)), k);
    yield order;
  }
}

function swap(values: number[], a: number, b: number): void {
  const held = values[a]!;
  values[a] = values[b]!;
  values[b] = held;
}
