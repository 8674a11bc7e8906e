/** Cells that are compared with each other, and what their words go by. */
import {grouped} from '../../grouped.ts';
import {axesIn, belongs, conditionsOf, settled} from '../../run/compare/conditions.ts';
import {nameOf, type Sweep} from '../../sweep/sweep.ts';
import type {ComparisonRules} from '../rules.ts';
import type {Cell} from '../search.ts';
import type {ChallengeSettings} from './challenge.ts';

/** What the words of a sweep go by. */
export function challengeSettings(
  {methods, verdict}: Pick<Sweep, 'methods' | 'verdict'>,
  {margin, objective}: ComparisonRules,
): ChallengeSettings {
  const names = methods.map(nameOf);
  const baseline = names.find(method => method === 'lora') ?? names[0]!;
  return {margin, baseline, ...verdict, metric: objective.metrics[0]!};
}

/**
 * Cells that are compared with each other: a method each, of several tuned axes a group each. One without a rank stands beside those of every rank.
 */
export function comparisonsOf(cells: readonly Cell[]): Cell[][] {
  const first = ({trials}: Cell) => trials[0]![0]!;
  const tune = [...new Set(cells.flatMap(({group}) => Object.keys(group?.settings ?? {})))];
  const axes = axesIn({trials: cells.map(cell => ({trial: first(cell)})), tune, fixed: {}});
  const groups = grouped(
    cells.map(cell => conditionsOf(first(cell), axes)),
    group => JSON.stringify(group),
  );
  const all = [...groups.values()].map(([group]) => group!);
  return settled(all, cells.map(first)).map(group => cells.filter(cell => belongs(first(cell), group, axes)));
}
