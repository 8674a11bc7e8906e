/** Whole trials with the first seed: a pair around the place, and further ones as long as that leads uphill. */
import {type Ending, type Known, marginOf} from './known.ts';
import {pairAt} from './pair.ts';

/** Training losses that differ by less than this part of all that was learnt do not differ. */
const lossShare = 0.02;

/** Rates (places in the cell's list) that a walk has reached. */
export interface Walk {
  from: number;
  to: number;
  /** Rates whose whole trial is wanted next; none at the end of the walk. */
  missing: number[];
  /** `pair`: the first two are still on their way. */
  stage: 'pair' | 'walk';
}

/**
 * The walk from a place as far as the facts lead. It is walked anew each time and looks at nothing but what it has reached, so
 * that facts which come later or from elsewhere do not turn it.
 */
export function walk(known: Known, place: number): Walk {
  const {rates} = known.cell;
  let [from, to] = pairAt(rates, place);
  const missing = [from, to].filter(rate => !known.ending(rate, 0));
  if (missing.length > 0) return {from, to, missing, stage: 'pair'};
  const direction = slope(known, from, {from, to});
  while (direction !== 0) {
    const next = direction > 0 ? to + 1 : from - 1;
    if (next < 0 || next >= rates.length) break;
    if (!known.ending(next, 0)) return {from, to, missing: [next], stage: 'walk'};
    if (direction > 0) to = next;
    else from = next;
    if (slope(known, direction > 0 ? to - 1 : from, {from, to}) !== direction) break;
  }
  return {from, to, missing: [], stage: 'walk'};
}

/** 1 where the higher of a rate and the next one is better, -1 where the lower one is, 0 where they are alike. */
function slope(known: Known, lower: number, reached: Pick<Walk, 'from' | 'to'>): -1 | 0 | 1 {
  const [a, b] = [known.ending(lower, 0)!, known.ending(lower + 1, 0)!];
  // Where nothing trains, less may.
  if (b.diverged) return -1;
  if (a.diverged) return 1;
  if (Math.abs(a.score - b.score) > marginOf(known.rules, a.score, b.score)) return b.score > a.score ? 1 : -1;
  if (a.loss === null || b.loss === null) return 0;
  if (!(Math.abs(a.loss - b.loss) > lossShare * learnt(known, reached))) return 0;
  return b.loss < a.loss ? 1 : -1;
}

/** How far the training loss fell from the first step to the lowest seen; Infinity where the first is not known. */
function learnt({cell, fact, ending, scanLoss}: Known, {from, to}: Pick<Walk, 'from' | 'to'>): number {
  const first = cell.trials.map(([trial]) => fact(trial!).firstLoss ?? Number.NEGATIVE_INFINITY);
  const ends = cell.rates.slice(from, to + 1).map((_, k) => ending(from + k, 0)?.loss ?? Number.POSITIVE_INFINITY);
  const scans = cell.rates.map((_, rate) => scanLoss(rate) ?? Number.POSITIVE_INFINITY);
  const fall = Math.max(...first) - Math.min(...ends, ...scans);
  return Number.isFinite(fall) ? fall : Number.POSITIVE_INFINITY;
}

/** The best of all rates with a whole trial of the first seed: equal ones by their training loss, then the lower rate. Null where none trained. */
export function bestWhole({cell, ending}: Known): number | null {
  let best: {rate: number; ending: Ending} | null = null;
  for (const rate of cell.rates.keys()) {
    const end = ending(rate, 0);
    if (end && !end.diverged && (!best || isBetter(end, best.ending))) best = {rate, ending: end};
  }
  return best?.rate ?? null;
}

function isBetter(a: Ending, b: Ending): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return (a.loss ?? Number.POSITIVE_INFINITY) < (b.loss ?? Number.POSITIVE_INFINITY);
}
