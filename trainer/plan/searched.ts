/** What a plan says of a search. */
import {expectationInWords, searchExpectation} from '../../core/search/expectation.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';

/** Sentences; none where every trial of the grid is trained whole. `steps`: optimizer steps of a trial, by `stepsKey`. */
export function searchInWords(
  sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'training' | 'axes' | 'objective'>,
  trials: readonly Trial[],
  steps: Readonly<Record<string, number>>,
): string[] {
  const expectation = searchExpectation(sweep, trials, steps);
  if (!expectation) return [];
  return [
    ...expectationInWords(expectation),
    'Packs, operations, memory and time of this plan are those of the whole grid.',
  ];
}
