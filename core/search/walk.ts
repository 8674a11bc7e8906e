/** Whole trials with the first seed: a pair around the place, and further ones as long as that leads uphill. */
import {unitOf} from '../run/peak.ts';
import {type Ending, type Known, marginOf} from './known.ts';
import {pairAt} from './pair.ts';

/** Training losses that differ by less than this part of all that was learnt do not differ. */
const lossShare = 0.02;

/**
 * A loss on other rows differs from rate to rate by less noise than a share of right answers does: this part of the margin is a
 * slope. The training's own loss then tells nothing beside it, and falls on where the other one rises.
 */
const marginShare = 0.25;

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
  let [from, to] = pairAt(known.cell.rates, place);
  for (let next = [from, to]; next.length > 0; next = nextOnes(known, {from, to})) {
    const missing = next.filter(rate => !known.ending(rate, 0));
    if (missing.length > 0)
      return {from, to, missing, stage: missing.some(rate => rate < from || rate > to) ? 'walk' : 'pair'};
    [from, to] = [Math.min(from, ...next), Math.max(to, ...next)];
  }
  return {from, to, missing: [], stage: 'walk'};
}

/** Rates that the walk goes on with: where its ends lead uphill, and on both sides where nothing was learnt so far. */
function nextOnes(known: Known, reached: Pick<Walk, 'from' | 'to'>): number[] {
  const {from, to} = reached;
  if (isFull(known, reached)) return [];
  const isLost = isHopeless(known, reached);
  const down = slope(known, from, reached) < 0 || isLost;
  // What is above a rate that diverged does as well.
  const up = slope(known, to - 1, reached) > 0 || (isLost && !known.ending(to, 0)!.diverged);
  return [...(down ? [from - 1] : []), ...(up ? [to + 1] : [])].filter(rate => rate in known.cell.rates);
}

/**
 * Nothing that was reached learnt the task: no slope of theirs says where it is learnt. Of shares only (accuracy, pass@k), as of
 * other metrics nobody knows what nothing is.
 */
export function isHopeless(known: Known, reached: Pick<Walk, 'from' | 'to'>): boolean {
  return isOfShares(known) && scoresOf(known, reached).every(score => score <= known.rules.margin);
}

/** A share cannot be above one: where that is reached up to the margin, no rate is better by a difference that matters. */
function isFull(known: Known, reached: Pick<Walk, 'from' | 'to'>): boolean {
  return isOfShares(known) && scoresOf(known, reached).some(score => score >= 1 - known.rules.margin);
}

function isOfShares({rules: {objective}}: Known): boolean {
  return !objective.lowerIsBetter && objective.metrics.every(metric => unitOf(metric) === 'share');
}

function scoresOf({ending}: Known, {from, to}: Pick<Walk, 'from' | 'to'>): number[] {
  return Array.from({length: to - from + 1}, (_, k) => ending(from + k, 0)!.score);
}

/** 1 where the higher of a rate and the next one is better, -1 where the lower one is, 0 where they are alike. */
function slope(known: Known, lower: number, reached: Pick<Walk, 'from' | 'to'>): -1 | 0 | 1 {
  const [a, b] = [known.ending(lower, 0)!, known.ending(lower + 1, 0)!];
  // Where nothing trains, less may.
  if (b.diverged) return -1;
  if (a.diverged) return 1;
  const isLoss = known.rules.objective.lowerIsBetter;
  const least = marginOf(known.rules, a.score, b.score) * (isLoss ? marginShare : 1);
  if (Math.abs(a.score - b.score) > least) return b.score > a.score ? 1 : -1;
  if (isLoss || a.loss === null || b.loss === null) return 0;
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
