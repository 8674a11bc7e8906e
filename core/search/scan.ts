/** Which rates of a cell are scanned, and where that puts the best one. */
import {fewestRates} from '../sweep/search-rules.ts';
import type {Known} from './known.ts';
import {placeOf} from './place.ts';
import type {Cell} from './search.ts';

export interface Scan {
  /** Rates (places in the cell's list) whose scan is wanted; none at its end. */
  missing: number[];
  /** Where it puts the best rate; null before the end, and where all diverged. */
  place: number | null;
}

/**
 * Every second rate, then those beside the lowest loss until both are known: along the ordered axis losses fall towards it and
 * rise behind it. Around an expected rate only those within a decade, and further ones where that leads. Pure: it is gone through anew each
 * time, and looks at nothing but what it has reached.
 */
export function scan(known: Known): Scan {
  const {rates, steps} = known.cell;
  for (let reached = firstScanned(known.cell); ; ) {
    const losses = reached.map(rate => known.scanLoss(rate));
    const missing = reached.filter((_, k) => losses[k] === undefined);
    if (missing.length > 0) return {missing, place: null};
    const found = losses as number[];
    const lowest = Math.min(...found);
    const best = reached[found.lastIndexOf(lowest)]!;
    // Where nothing trains, less may.
    const next = lowest === Number.POSITIVE_INFINITY ? [reached[0]! - 1] : [best - 1, best + 1];
    const more = next.filter(rate => rate in rates && !reached.includes(rate));
    if (more.length > 0) reached = [...reached, ...more].sort((a, b) => a - b);
    else {
      const all = rates.map((_, rate) => (reached.includes(rate) ? known.scanLoss(rate)! : Number.NaN));
      return {missing, place: placeOf(rates, all, known.scanSteps / steps)};
    }
  }
}

/** Every second rate, without the first: a lower one is seldom the best. */
export function firstScanned(cell: Pick<Cell, 'rates' | 'expected'>): number[] {
  const [from, to] = windowOf(cell);
  return Array.from({length: Math.floor((to - from + 1) / 2)}, (_, k) => from + 1 + 2 * k);
}

/** Rates within a decade of the expected one, four at least. */
function windowOf({rates, expected}: Pick<Cell, 'rates' | 'expected'>): [from: number, to: number] {
  const last = rates.length - 1;
  if (expected === undefined) return [0, last];
  const near = [...rates.keys()].filter(rate => Math.abs(Math.log10(rates[rate]! / expected)) <= 1 + 1e-9);
  let [from, to] = [near[0] ?? (expected < rates[0]! ? 0 : last), near.at(-1) ?? (expected < rates[0]! ? 0 : last)];
  while (to - from + 1 < Math.min(fewestRates, rates.length)) {
    if (from > 0) from -= 1;
    if (to < last && to - from + 1 < fewestRates) to += 1;
  }
  return [from, to];
}
