/** What a plan says of a search. */
import {cellsOf} from '../../core/search/cells.ts';
import {expectationInWords, expectationOf} from '../../core/search/expectation.ts';
import {rulesOf} from '../../core/search/rules.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';

/** Sentences; none where every trial of the grid is trained whole. `stepsOf`: optimizer steps of a trial, by batch size. */
export function searchInWords(
  sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'training'>,
  trials: readonly Trial[],
  stepsOf: (batchSize: number) => number,
): string[] {
  const rules = rulesOf(sweep);
  if (!rules) return [];
  const steps = Object.fromEntries(trials.map(({batchSize}) => [batchSize, stepsOf(batchSize)]));
  const sentences = expectationInWords(expectationOf(cellsOf(trials, steps, sweep.training), rules));
  return [...sentences, 'Packs, operations, memory and time of this plan are those of the whole grid.'];
}
