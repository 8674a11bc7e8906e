/** What a search spent, beside what the grid it searched would have cost. */

import {grouped} from '../grouped.ts';
import {cellOf} from '../search/cells.ts';
import {isEnded} from './events.ts';
import type {RunState, TrialView} from './fold.ts';
import {count} from './format.ts';

export interface Budget {
  /** Steps taken, and those of every trial of the grid. */
  steps: number;
  gridSteps: number;
  /** Trials of the grid, and how many of them no step was taken of. */
  trials: number;
  untouched: number;
  /** Rates whose first seed was trained for a prefix or more; those trained whole; whole trials of further seeds. */
  scanned: number;
  whole: number;
  seeds: number;
}

const isWhole = ({state}: TrialView): boolean => isEnded(state);

/** It diverged before it had come to the end of the prefix: that was no whole training. */
const endedInScan = ({state, tails, steps}: TrialView): boolean =>
  state === 'diverged' && !Object.keys(tails).some(step => Number(step) < steps);

/**
 * Null without a search. The grid is every rate with the seeds that all rates of its cell have: seeds that were added at a chosen
 * rate are no part of it, but what they cost is counted.
 */
export function budgetOf({search, trials}: Pick<RunState, 'search' | 'trials'>): Budget | null {
  if (search === null) return null;
  const budget: Budget = {steps: 0, gridSteps: 0, trials: 0, untouched: 0, scanned: 0, whole: 0, seeds: 0};
  const cells = grouped(
    trials.filter(({dropped, part}) => !dropped && !part?.imported),
    ({trial}) => cellOf(trial),
  );
  for (const cell of cells.values()) {
    const rates = grouped(cell, ({trial}) => trial.learningRate);
    const [first, ...others] = seedsOfAll([...rates.values()]);
    for (const view of cell) {
      const {trial, steps, totalSteps} = view;
      budget.steps += steps;
      if (trial.seed === first || others.includes(trial.seed)) {
        budget.trials++;
        budget.gridSteps += totalSteps;
        if (steps === 0 && !isWhole(view)) budget.untouched++;
      }
      if (trial.seed !== first) budget.seeds += isWhole(view) ? 1 : 0;
      else if (steps > 0 || isWhole(view)) {
        budget.scanned++;
        budget.whole += isWhole(view) && !endedInScan(view) ? 1 : 0;
      }
    }
  }
  return budget;
}

/** Seeds that every rate has, in the order of the sweep. */
function seedsOfAll(rates: readonly TrialView[][]): number[] {
  const [head, ...rest] = rates.map(views => views.map(({trial}) => trial.seed));
  return (head ?? []).filter(seed => rest.every(seeds => seeds.includes(seed)));
}

/** `13.9 % of the grid's steps: 60 rates scanned, 12 of them trained whole, 10 more seeds; 108 of 180 trials were not trained.` */
export function budgetInWords(budget: Budget): string {
  const {steps, gridSteps, trials, untouched, scanned, whole, seeds} = budget;
  const share = gridSteps === 0 ? 0 : (100 * steps) / gridSteps;
  return `${share.toFixed(1)} % of the grid’s steps: ${count(scanned, 'rate')} scanned, ${whole} of them trained whole, ${seeds} more with further seeds; ${untouched} of ${count(trials, 'trial')} were not trained.`;
}
