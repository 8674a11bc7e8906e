/** All seeds at the best rate, and at its neighbour where they do not agree. */
import {mean} from '../numbers.ts';
import {type Ending, type Known, marginOf} from './known.ts';

/** Seeds that lie further apart than this many margins tell of a rate that trains for one seed and not for another. */
const unstableMargins = 5;

/** Rates that get all seeds, beside the first. */
const mostRounds = 2;

export interface Confirmation {
  chosen: number;
  /** A rate whose other seeds are wanted next; null where none is. */
  missing: number | null;
  /** Rates that train for one seed and not for another, of those with all seeds. */
  unstable: number[];
}

/** What the seeds say of the rate that one seed found best, as far as the facts lead. */
export function confirm(known: Known, first: number): Confirmation {
  const unstable = [...known.cell.rates.keys()].filter(rate => scatters(known, seedsAt(known, rate) ?? []));
  if (!seedsAt(known, first)) return {chosen: first, missing: first, unstable};
  let chosen = first;
  const compared = new Set([first]);
  for (let round = 0; round < mostRounds; round += 1) {
    const next = bestNeighbour(known, chosen, compared);
    if (next === null || !isDoubtful(known, chosen, next)) break;
    if (!seedsAt(known, next)) return {chosen, missing: next, unstable};
    compared.add(next);
    if (isBetter(seedsAt(known, next)!, seedsAt(known, chosen)!)) chosen = next;
  }
  return {chosen: bestOfAll(known, chosen), missing: null, unstable};
}

/** How a rate ended with every seed; null while one is missing. */
export function seedsAt({cell, ending}: Known, rate: number): Ending[] | null {
  const endings = cell.seeds.map((_, seed) => ending(rate, seed));
  return endings.every(end => end !== undefined) ? endings : null;
}

/** The rate beside `rate` that one seed found best, of those with a whole trial that did not diverge. */
function bestNeighbour({cell, ending}: Known, rate: number, compared: ReadonlySet<number>): number | null {
  const whole = [rate - 1, rate + 1].filter(
    next => next in cell.rates && !compared.has(next) && ending(next, 0)?.diverged === false,
  );
  const [a, b] = whole;
  if (a === undefined || b === undefined) return a ?? null;
  return ending(b, 0)!.score > ending(a, 0)!.score ? b : a;
}

/** The seeds do not agree, or one seed was better beside them than they are on average. */
function isDoubtful(known: Known, rate: number, neighbour: number): boolean {
  const seeds = seedsAt(known, rate)!;
  if (scatters(known, seeds)) return true;
  const [mean, {score}] = [meanOf(seeds), known.ending(neighbour, 0)!];
  return score - mean > marginOf(known.rules, score, mean);
}

function scatters({rules}: Known, seeds: readonly Ending[]): boolean {
  const scores = seeds.map(({score}) => score);
  const [worst, best] = [Math.min(...scores), Math.max(...scores)];
  return best - worst > unstableMargins * marginOf(rules, worst, best);
}

/** Fewer that diverged, then the mean. */
function isBetter(a: readonly Ending[], b: readonly Ending[]): boolean {
  const lost = (seeds: readonly Ending[]) => seeds.filter(({diverged}) => diverged).length;
  return lost(a) === lost(b) ? meanOf(a) > meanOf(b) : lost(a) < lost(b);
}

/** Of those that did not diverge; -Infinity where all did. */
function meanOf(seeds: readonly Ending[]): number {
  const scores = seeds.filter(({diverged}) => !diverged).map(({score}) => score);
  return scores.length === 0 ? Number.NEGATIVE_INFINITY : mean(scores);
}

/** Rates that got all seeds otherwise (a challenge, an earlier grid) count as well. */
function bestOfAll(known: Known, chosen: number): number {
  let best = chosen;
  for (const rate of known.cell.rates.keys()) {
    const seeds = seedsAt(known, rate);
    if (seeds && isBetter(seeds, seedsAt(known, best)!)) best = rate;
  }
  return best;
}
