/** What the search of an open sweep file will cost, as far as the editor knows. */
import {type SearchExpectation, searchExpectation} from '../core/search/expectation.ts';
import {expandTrials} from '../core/sweep/trials.ts';
import type {SweepDocument} from './document.ts';

/** Null where nothing is searched, and before a look around has counted the steps of a trial. */
export function searchExpected({known, around}: SweepDocument): SearchExpectation | null {
  if (!known || !around?.cost) return null;
  return searchExpectation(known, expandTrials(known), around.cost.steps);
}
