/** Where there is nothing to search in: whole trials, as in a grid. */
import {count} from '../run/format.ts';
import {fewestRates} from '../sweep/search-rules.ts';
import type {Cell} from './search.ts';

/** The least steps behind the warm-up over which a training loss is averaged. */
const fewestTailSteps = 3;

export const someInWords = 'Only some of its trials are asked for: they are trained whole, as in a grid.';

/** Why a cell's trials are trained whole, in a sentence; null where they are searched. */
export function whyWhole({rates, steps, warmUp}: Cell, scanSteps: number): string | null {
  if (rates.length < fewestRates)
    return `${count(rates.length, 'rate')} ${rates.length === 1 ? 'is' : 'are'} too few to search in: every trial is trained whole, as in a grid.`;
  if (scanSteps - warmUp < fewestTailSteps)
    return `Half of ${count(steps, 'step')} lies within the warm-up of ${warmUp}, where a scan says nothing: every trial is trained whole, as in a grid.`;
  return null;
}
