/** What a plan says of a search, and of seeds that may be added. */
import {
  clockInWords,
  expectationInWords,
  furtherInWords,
  type Machine,
  searchExpectation,
} from '../../core/search/expectation.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';

/**
 * Sentences; none where every trial of the grid is trained whole and that is all. `steps`: optimizer steps of a trial, by `stepsKey`.
 * `machine`: null where it is not known what a step takes.
 */
export function searchInWords(
  sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'training' | 'methods' | 'axes' | 'objective' | 'tune'>,
  trials: readonly Trial[],
  steps: Readonly<Record<string, number>>,
  machine: Machine | null,
): string[] {
  const expectation = searchExpectation(sweep, trials, steps);
  if (!expectation) return furtherInWords(sweep);
  return [
    ...expectationInWords(expectation),
    ...(machine ? clockInWords(expectation, machine) : []),
    ...furtherInWords(sweep),
    'Packs, operations, memory and time of this plan are those of the whole grid.',
  ];
}
