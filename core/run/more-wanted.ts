/** Which methods of a run need how many more seeds for their words. */
import type {RunState} from './fold.ts';
import {mostMoreSeeds} from './verdict/needs.ts';
import {type Comparison, compare} from './verdict.ts';

export interface MoreWanted {
  method: string;
  /** About. */
  seeds: number;
}

/** Of one comparison; none of what no further training would help, and of all but the first evaluation: seeds are added at its best rates. */
export function seedWishes(
  {spread, task, isUnderWay, isBeside}: Comparison,
  {trials}: Pick<RunState, 'trials'>,
): MoreWanted[] {
  const measured = trials.flatMap(({evaluations}) => evaluations);
  const isFirst = measured.some(one => one.task === task && (one.index ?? 0) === 0);
  if (!spread || !isFirst || isUnderWay || isBeside) return [];
  return spread.gaps.flatMap(({method, more, moreQuestions}) =>
    more === null || moreQuestions !== null || more >= mostMoreSeeds ? [] : [{method, seeds: more}],
  );
}

/** Of all comparisons of a run: the most that a method needs in one of them. */
export function allSeedWishes(state: RunState): MoreWanted[] {
  const most = new Map<string, number>();
  for (const {method, seeds} of compare(state).flatMap(comparison => seedWishes(comparison, state)))
    most.set(method, Math.max(seeds, most.get(method) ?? 0));
  return [...most].map(([method, seeds]) => ({method, seeds}));
}
