/** What a search will cost, before it runs. */
import {count} from '../run/format.ts';
import {stepsKey} from '../sweep/axes/axes.ts';
import type {Sweep, Trial} from '../sweep/sweep.ts';
import {cellsOf} from './cells.ts';
import {rulesOf, type SearchRules, scanStepsOf} from './rules.ts';
import type {Cell} from './search.ts';
import {whyWhole} from './whole.ts';

/** Least and most, and what is expected: the mean of searches played on published curves (`npm run bench -- search`). */
export interface Range {
  least: number;
  expected: number;
  most: number;
}

export interface SearchExpectation {
  /** Rates that are scanned, and optimizer steps of that; exact. */
  scans: number;
  scanSteps: number;
  /** Trials that are trained to their end, further seeds included. */
  whole: Range;
  /** Optimizer steps of all. */
  steps: Range;
  /** Optimizer steps of the whole grid. */
  gridSteps: number;
  /** Whole trainings one after the other, with as many workers as one likes. */
  chain: Range;
  /** Why cells are trained whole, as in a grid, one sentence each. */
  instead: string[];
}

/** Whole trials with the first seed in one cell, as played: the pair, and in about half of the cells one more. */
export const expectedFirst = 2.6;
/** Neighbours that get all seeds too, a cell. */
const expectedRounds = 0.03;

/**
 * Of a sweep; null where it searches nothing, or where the steps of a batch size are not known. `steps`: optimizer steps of a
 * whole trial, by batch size.
 */
export function searchExpectation(
  sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'training' | 'axes' | 'objective'>,
  trials: readonly Trial[],
  steps: Readonly<Record<string, number>>,
): SearchExpectation | null {
  const rules = rulesOf(sweep);
  if (!rules || trials.some(trial => steps[stepsKey(trial)] === undefined)) return null;
  return expectationOf(cellsOf(trials, steps, sweep), rules);
}

/** What is expected of the grid's steps, 0..1. */
export function expectedShare({steps, gridSteps}: SearchExpectation): number {
  return steps.expected / gridSteps;
}

/** Of all cells that are asked for. Nothing is known yet; a run that goes on needs less. */
export function expectationOf(cells: readonly Cell[], rules: Pick<SearchRules, 'search'>): SearchExpectation {
  const each = cells.map(cell => cellExpectation(cell, rules));
  const sum = (of: (one: CellExpectation) => number) => each.reduce((total, one) => total + of(one), 0);
  const total = (of: (one: CellExpectation) => Range): Range => range(at => sum(one => of(one)[at]));
  return {
    scans: sum(({scans}) => scans),
    scanSteps: sum(({scanSteps}) => scanSteps),
    whole: total(({whole}) => whole),
    steps: total(({steps}) => steps),
    gridSteps: cells.reduce((steps, cell) => steps + cell.steps * cell.trials.flat().length, 0),
    chain: range(at => Math.max(0, ...each.map(({chain}) => chain[at]))),
    instead: [...new Set(each.flatMap(({why}) => why ?? []))],
  };
}

interface CellExpectation {
  scans: number;
  scanSteps: number;
  whole: Range;
  steps: Range;
  chain: Range;
  why: string | null;
}

function cellExpectation(cell: Cell, {search}: Pick<SearchRules, 'search'>): CellExpectation {
  const {steps, rates, seeds} = cell;
  const scan = scanStepsOf(cell, search);
  const why = whyWhole(cell, scan);
  if (why !== null) {
    const trials = rates.length * seeds.length;
    return {scans: 0, scanSteps: 0, whole: same(trials), steps: same(trials * steps), chain: same(1), why};
  }
  const further = seeds.length - 1;
  const rounds = further === 0 ? same(0) : {least: 0, expected: expectedRounds, most: Math.min(2, rates.length - 1)};
  const first: Range = {least: 2, expected: Math.min(expectedFirst, rates.length), most: rates.length};
  const whole = range(at => first[at] + further * (1 + rounds[at]));
  return {
    scans: rates.length,
    scanSteps: rates.length * scan,
    whole,
    // A prefix is part of the whole trial that it becomes.
    steps: range(at => rates.length * scan + whole[at] * steps - first[at] * scan),
    // The pair runs side by side, and so do seeds.
    chain: range(at => 1 + (first[at] - 2) + (further === 0 ? 0 : 1 + rounds[at])),
    why,
  };
}

const same = (value: number): Range => ({least: value, expected: value, most: value});
const range = (of: (at: keyof Range) => number): Range => ({
  least: of('least'),
  expected: of('expected'),
  most: of('most'),
});

/** Sentences for `plan` and the editor; those of a grid alone where nothing is searched. */
export function expectationInWords(expectation: SearchExpectation): string[] {
  const {scans, scanSteps, whole, chain, instead} = expectation;
  if (scans === 0) return instead;
  const share = expectedShare(expectation);
  return [
    `${count(scans, 'rate')} ${scans === 1 ? 'is' : 'are'} scanned in ${count(scanSteps, 'step')}; about ${count(Math.round(whole.expected), 'trial')} (${whole.least} to ${whole.most}) are trained whole.`,
    `That is about ${(100 * share).toFixed(1)} % of the grid's steps: the grid costs ${(1 / share).toFixed(1)} × as much.`,
    `However many the workers, about ${chain.expected.toFixed(1)} whole trainings (${chain.least} to ${chain.most}) follow one another; the grid's are all independent.`,
    ...instead,
  ];
}
