/** The facts of one cell as its search reads them. Rates and seeds are places in the cell's lists. */
import {isEnded} from '../run/events.ts';
import type {Trial} from '../sweep/sweep.ts';
import {type SearchRules, scanStepsOf} from './rules.ts';
import type {Cell, TrialFacts} from './search.ts';

/** How a whole trial ended. */
export interface Ending {
  diverged: boolean;
  /** The metric; the higher of two is better, whatever the metric. -Infinity where it diverged. */
  score: number;
  /** Mean training loss at the end; null where it is not known. */
  loss: number | null;
}

export interface Known {
  cell: Cell;
  rules: SearchRules;
  scanSteps: number;
  fact(trial: Trial): TrialFacts;
  /** Training loss at the end of the scan, Infinity where it diverged; undefined before. */
  scanLoss(rate: number): number | undefined;
  /** Undefined before the end, and before that is measured. */
  ending(rate: number, seed: number): Ending | undefined;
}

export function known(cell: Cell, facts: ReadonlyMap<string, TrialFacts>, rules: SearchRules): Known {
  const scanSteps = scanStepsOf(cell, rules.search);
  const fact = (trial: Trial) => facts.get(trial.id) ?? nothingKnown;
  const at = (rate: number, seed: number) => fact(cell.trials[rate]![seed]!);
  return {
    cell,
    rules,
    scanSteps,
    fact,
    scanLoss(rate) {
      const {scanTail, state, steps} = at(rate, 0);
      if (scanTail !== null) return scanTail;
      return isEnded(state) || (state === 'paused' && steps >= scanSteps) ? Number.POSITIVE_INFINITY : undefined;
    },
    ending(rate, seed) {
      const {state, metric, endTail} = at(rate, seed);
      if (state === 'diverged') return {diverged: true, score: Number.NEGATIVE_INFINITY, loss: null};
      if (state !== 'finished' || metric === null) return undefined;
      return {diverged: false, score: rules.objective.lowerIsBetter ? -metric : metric, loss: endTail};
    },
  };
}

/** Of a trial that the run has not heard of. */
export const nothingKnown: TrialFacts = {
  state: 'waiting',
  steps: 0,
  firstLoss: null,
  scanTail: null,
  endTail: null,
  metric: null,
};

/** How far two scores may lie apart without a difference that matters. */
export function marginOf({margin, objective}: SearchRules, a: number, b: number): number {
  return objective.lowerIsBetter ? margin * Math.min(Math.abs(a), Math.abs(b)) : margin;
}
