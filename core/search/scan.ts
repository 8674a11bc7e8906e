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
 * Every rate; around an expected one those within a decade, and further ones as long as the lowest loss lies at an end of them.
 * Pure: it is gone through anew each time.
 */
export function scan(known: Known): Scan {
  const {rates, steps} = known.cell;
  let [from, to] = windowOf(known.cell);
  for (;;) {
    const places = Array.from({length: to - from + 1}, (_, k) => from + k);
    const losses = places.map(rate => known.scanLoss(rate));
    const missing = places.filter((_, k) => losses[k] === undefined);
    if (missing.length > 0) return {missing, place: null};
    const found = losses as number[];
    const lowest = Math.min(...found);
    // Where nothing trains, less may.
    const isLow = found[0] === lowest && from > 0;
    const isHigh = !isLow && found.at(-1) === lowest && to < rates.length - 1;
    if (isLow) from -= 1;
    else if (isHigh) to += 1;
    else
      return {
        missing: [],
        place: placeOf(
          places.map(rate => rates[rate]!),
          found,
          known.scanSteps / steps,
        ),
      };
  }
}

/** Rates within a decade of the expected one, four at least. */
function windowOf({rates, expected}: Cell): [from: number, to: number] {
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
