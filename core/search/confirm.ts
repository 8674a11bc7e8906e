/** All seeds at the best rate, and at another one beside or below it where they do not agree. */
import {mean} from '../numbers.ts';
import {type Ending, type Known, marginOf} from './known.ts';

/** Seeds that lie further apart than this many margins tell of a rate that trains for one seed and not for another. */
const unstableMargins = 5;

/** Rates that get all seeds, beside the first. */
export const mostRounds = 2;

export interface Confirmation {
  chosen: number;
  /** A rate that is wanted next, with all seeds or, `below` what is unstable, the first one; null where none is. */
  missing: number | null;
  below?: true;
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
    const below = belowUnstable(known, chosen, compared);
    if (below !== null && !known.ending(below, 0) && !isPromising(known, chosen, compared))
      return {chosen, missing: below, below: true, unstable};
    const next = bestOf(known, [chosen - 1, chosen + 1, ...(below === null ? [] : [below])], compared);
    if (next === null || !isDoubtful(known, chosen, next)) break;
    if (!seedsAt(known, next)) return {chosen, missing: next, unstable};
    compared.add(next);
    if (isBetter(seedsAt(known, next)!, seedsAt(known, chosen)!)) chosen = next;
  }
  return {chosen: bestOfAll(known, chosen), missing: null, unstable};
}

/**
 * The rate below a chosen one and all others down from it whose seeds do not agree: seeds scatter where rates are too high. Null
 * where the chosen one is no such rate, or no rate lies below. `compared`: rates that count as known with all seeds.
 */
function belowUnstable(known: Known, chosen: number, compared: ReadonlySet<number>): number | null {
  let rate = chosen;
  while (compared.has(rate) && scatters(known, seedsAt(known, rate)!)) rate -= 1;
  return rate === chosen || rate < 0 || compared.has(rate) ? null : rate;
}

/** A whole trial beside it did better with one seed than its own seeds on average: that one is looked at first. */
function isPromising(known: Known, rate: number, compared: ReadonlySet<number>): boolean {
  const beside = bestOf(known, [rate - 1, rate + 1], compared);
  return beside !== null && known.ending(beside, 0)!.score > meanOf(seedsAt(known, rate)!);
}

/** How a rate ended with every seed; null while one is missing. */
export function seedsAt({cell, ending}: Known, rate: number): Ending[] | null {
  const endings = cell.seeds.map((_, seed) => ending(rate, seed));
  return endings.every(end => end !== undefined) ? endings : null;
}

/** The one of these rates that one seed found best (the lower one of equals), of those with a whole trial that did not diverge. */
function bestOf({cell, ending}: Known, rates: readonly number[], compared: ReadonlySet<number>): number | null {
  const scored = rates.flatMap(rate => {
    const end = compared.has(rate) || !(rate in cell.rates) ? undefined : ending(rate, 0);
    return end && !end.diverged ? [{rate, score: end.score}] : [];
  });
  return scored.toSorted((a, b) => b.score - a.score || a.rate - b.rate)[0]?.rate ?? null;
}

/**
 * Seeds scatter where rates are too high: one above must have been better by one seed, one below need not be where the seeds do not
 * agree. Where one diverged, whatever trains is looked at.
 */
function isDoubtful(known: Known, rate: number, neighbour: number): boolean {
  const [seeds, end] = [seedsAt(known, rate)!, known.ending(neighbour, 0)!];
  const isAbove = neighbour > rate && !seeds.some(({diverged}) => diverged);
  return isAbove ? isAhead(known, seeds, end) : isOutdone(known, seeds, end);
}

function isAhead({rules}: Pick<Known, 'rules'>, seeds: readonly Ending[], {score}: Ending): boolean {
  const mean = meanOf(seeds);
  return score - mean > marginOf(rules, score, mean);
}

/** One seed elsewhere was better than the seeds are on average; where these do not agree, no further below than they lie apart. */
export function isOutdone(known: Pick<Known, 'rules'>, seeds: readonly Ending[], end: Ending): boolean {
  return scatters(known, seeds) ? end.score - meanOf(seeds) >= -apart(seeds) : isAhead(known, seeds, end);
}

function scatters({rules}: Pick<Known, 'rules'>, seeds: readonly Ending[]): boolean {
  const scores = seeds.map(({score}) => score);
  return apart(seeds) > unstableMargins * marginOf(rules, Math.min(...scores), Math.max(...scores));
}

function apart(seeds: readonly Ending[]): number {
  const scores = seeds.map(({score}) => score);
  return scores.length === 0 ? 0 : Math.max(...scores) - Math.min(...scores);
}

/** Fewer that diverged, then the mean. */
export function isBetter(a: readonly Ending[], b: readonly Ending[]): boolean {
  const lost = (seeds: readonly Ending[]) => seeds.filter(({diverged}) => diverged).length;
  return lost(a) === lost(b) ? meanOf(a) > meanOf(b) : lost(a) < lost(b);
}

/** Of those that did not diverge; -Infinity where all did. */
export function meanOf(seeds: readonly Ending[]): number {
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
