/** Cells that are compared with each other, and what their words go by. */
import {noRank, type Sweep} from '../../sweep/sweep.ts';
import type {ComparisonRules} from '../rules.ts';
import type {Cell} from '../search.ts';
import type {ChallengeSettings} from './challenge.ts';

/** What the words of a sweep go by. */
export function challengeSettings(
  {methods, verdict}: Pick<Sweep, 'methods' | 'verdict'>,
  {margin, objective}: ComparisonRules,
): ChallengeSettings {
  const names = methods.map(({method}) => method);
  const baseline = names.find(method => method === 'lora') ?? names[0]!;
  return {margin, baseline, ...verdict, metric: objective.metrics[0]!};
}

/** Cells that are compared with each other, a method each. One without a rank stands beside those of every rank. */
export function comparisonsOf(cells: readonly Cell[]): Cell[][] {
  const groups = new Map<string, Cell[]>();
  const first = ({trials}: Cell) => trials[0]![0]!;
  const ranks = new Set(cells.map(cell => first(cell).rank).filter(rank => rank !== noRank));
  for (const cell of cells) {
    const {rank, batchSize} = first(cell);
    for (const group of rank === noRank && ranks.size > 0 ? ranks : [rank]) {
      const key = `${group} ${batchSize}`;
      groups.set(key, [...(groups.get(key) ?? []), cell]);
    }
  }
  return [...groups.values()];
}
