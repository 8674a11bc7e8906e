/** What a search will cost, before it runs. */
import {count, formatSeconds} from '../run/format.ts';
import {stepsKey} from '../sweep/axes/axes.ts';
import type {Sweep, Trial} from '../sweep/sweep.ts';
import {cellsOf} from './cells.ts';
import {reference} from './decide-all.ts';
import {rulesOf, type SearchRules, scanStepsOf} from './rules.ts';
import {firstScanned} from './scan.ts';
import type {Cell} from './search.ts';
import {whyWhole} from './whole.ts';

/** Least and most, and what is expected: the mean of searches played on published curves (`npm run bench -- search`). */
export interface Range {
  least: number;
  expected: number;
  most: number;
}

export interface SearchExpectation {
  /** Rates that are expected to be scanned, of how many, and optimizer steps of that. */
  scans: number;
  rates: number;
  scanSteps: number;
  /** Trials that are trained to their end, further seeds included. */
  whole: Range;
  /** Optimizer steps of all. */
  steps: Range;
  /** Optimizer steps of the whole grid. */
  gridSteps: number;
  /** Whole trainings one after the other, with as many workers as one likes. */
  chain: Range;
  /** Optimizer steps of that, the scan before it included. */
  chainSteps: Range;
  /** Why cells are trained whole, as in a grid, one sentence each. */
  instead: string[];
}

/** Whole trials with the first seed in one cell, as played: the pair, and in about half of the cells one more. */
export const expectedFirst = 2.6;
/** Neighbours that get all seeds too, a cell. */
const expectedRounds = 0.03;
/** Of the other cells of a group, those that get all seeds too. */
const expectedRivals = 0.2;

/**
 * Of a sweep; null where it searches nothing, or where the steps of a batch size are not known. `steps`: optimizer steps of a
 * whole trial, by batch size.
 */
export function searchExpectation(
  sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'training' | 'axes' | 'objective' | 'tune'>,
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
  const groups = new Set<string>();
  const each = cells.map(cell => {
    const isFirst = !cell.group || !groups.has(cell.group.id);
    if (cell.group) groups.add(cell.group.id);
    return cellExpectation(cell, rules, isFirst);
  });
  const sum = (of: (one: CellExpectation) => number) => each.reduce((total, one) => total + of(one), 0);
  const total = (of: (one: CellExpectation) => Range): Range => range(at => sum(one => of(one)[at]));
  return {
    scans: sum(({scans}) => scans),
    rates: sum(({rates}) => rates),
    scanSteps: sum(({scanSteps}) => scanSteps),
    whole: total(({whole}) => whole),
    steps: total(({steps}) => steps),
    gridSteps: cells.reduce((steps, cell) => steps + cell.steps * cell.trials.flat().length, 0),
    chain: range(at => Math.max(0, ...each.map(({chain}) => chain[at]))),
    chainSteps: range(at => Math.max(0, ...each.map(({chainSteps}) => chainSteps[at]))),
    instead: [...new Set(each.flatMap(({why}) => why ?? []))],
  };
}

interface CellExpectation {
  scans: number;
  rates: number;
  scanSteps: number;
  whole: Range;
  steps: Range;
  chain: Range;
  chainSteps: Range;
  why: string | null;
}

/** @param isFirst of its group: the best one alone gets all seeds, and others may be left after their scan */
function cellExpectation(cell: Cell, {search}: Pick<SearchRules, 'search'>, isFirst: boolean): CellExpectation {
  const {steps, rates, seeds} = cell;
  const scan = scanStepsOf(cell, search);
  const why = whyWhole(cell, scan);
  if (why !== null) {
    const trials = rates.length * seeds.length;
    const all = {whole: same(trials), steps: same(trials * steps), chain: same(1), chainSteps: same(steps)};
    return {scans: 0, rates: 0, scanSteps: 0, ...all, why};
  }
  const further = seeds.length - 1;
  const usual: Range = {least: 0, expected: expectedRounds, most: Math.min(2, rates.length - 1)};
  const rounds =
    further === 0 ? same(0) : isFirst ? range(at => 1 + usual[at]) : {least: 0, expected: expectedRivals, most: 1};
  const first: Range = {least: isFirst ? 2 : 0, expected: Math.min(expectedFirst, rates.length), most: rates.length};
  const scanned = scannedOf(isGuided(cell, search) ? middleOf(cell) : cell);
  const whole = range(at => first[at] + further * rounds[at]);
  // The pair runs side by side, and so do seeds.
  const chain = range(at => Math.max(1, first[at] - 1) + rounds[at]);
  return {
    scans: scanned.expected,
    rates: rates.length,
    scanSteps: scanned.expected * scan,
    whole,
    // A prefix is part of the whole trial that it becomes.
    steps: range(at => scanned[at] * scan + whole[at] * steps - Math.min(first[at], scanned[at]) * scan),
    chain,
    // What was scanned goes on from there.
    chainSteps: range(at => chain[at] * steps),
    why,
  };
}

/** Only rates around what the curvature predicts are scanned. */
function isGuided({trials}: Cell, {start}: SearchRules['search']): boolean {
  return start === 'curvature' && trials[0]![0]!.method !== reference;
}

/** Where the prediction will fall is not known yet. */
function middleOf({rates}: Cell): Pick<Cell, 'rates' | 'expected'> {
  return {rates, expected: rates[Math.floor((rates.length - 1) / 2)]!};
}

/** Beside those of the start one or two around the lowest loss; all where that lies at the end of a chain. */
function scannedOf(cell: Pick<Cell, 'rates' | 'expected'>): Range {
  const [first, all] = [firstScanned(cell).length, cell.rates.length];
  return {least: first + 1, expected: Math.min(first + 2, all), most: all};
}

/** Of so many rates, those that a scan over all of them usually takes. */
export function expectedScans(rates: number): number {
  return scannedOf({rates: Array.from({length: rates}, (_, k) => k)}).expected;
}

const same = (value: number): Range => ({least: value, expected: value, most: value});
const range = (of: (at: keyof Range) => number): Range => ({
  least: of('least'),
  expected: of('expected'),
  most: of('most'),
});

/** What the whole grid takes on the machine at hand. */
export interface Machine {
  /** Seconds of all its training steps, with all workers at it. */
  seconds: number;
  workers: number;
  /** Trials of a pack, at most. */
  side: number;
}

/**
 * Seconds of a search's training: the work shared by the workers, and what they wait for while the chain has less to do than they
 * could (Brent's bound).
 */
export function clockOf(
  {steps, chainSteps, gridSteps}: Pick<SearchExpectation, 'steps' | 'chainSteps' | 'gridSteps'>,
  {seconds, workers, side}: Machine,
): Range {
  const [shared, alone] = [seconds / gridSteps, (seconds * workers * side) / gridSteps];
  return range(at => shared * steps[at] + (1 - 1 / (workers * side)) * alone * chainSteps[at]);
}

/** The same in words. */
export function clockInWords(expectation: SearchExpectation, machine: Machine): string[] {
  if (expectation.scans === 0) return [];
  const {least, expected, most} = clockOf(expectation, machine);
  const [from, about, to] = [least, expected, most].map(formatSeconds);
  return [
    `With ${count(machine.workers, 'worker')} the search trains for about ${about} (${from} to ${to}): scan, walk and further seeds follow one another. The grid trains for about ${formatSeconds(machine.seconds)}.`,
  ];
}

/** Trainings that may follow where words are missing: every method of a comparison up to `verdict.seeds` at its best rate. */
export function furtherInWords({verdict, methods}: Pick<Sweep, 'verdict' | 'methods'>): string[] {
  const {seeds} = verdict ?? {};
  if (seeds === undefined) return [];
  const most = methods.reduce(
    (sum, {seeds: own, ranks, batchSizes}) => sum + ranks.length * batchSizes.length * (seeds - own.length),
    0,
  );
  if (most === 0) return [];
  return [
    `Where words are missing then, 0 to ${most} further trainings follow: up to ${seeds} seeds at each best rate, and as many beside it for a method that seems behind.`,
  ];
}

/** Sentences for `plan` and the editor; those of a grid alone where nothing is searched. */
export function expectationInWords(expectation: SearchExpectation): string[] {
  const {scans, rates, scanSteps, whole, chain, instead} = expectation;
  if (scans === 0) return instead;
  const share = expectedShare(expectation);
  return [
    `About ${scans} of ${count(rates, 'rate')} are scanned in ${count(scanSteps, 'step')}; about ${count(Math.round(whole.expected), 'trial')} (${whole.least} to ${whole.most}) are trained whole.`,
    `That is about ${(100 * share).toFixed(1)} % of the grid's steps: the grid costs ${(1 / share).toFixed(1)} × as much.`,
    `However many the workers, about ${chain.expected.toFixed(1)} whole trainings (${chain.least} to ${chain.most}) follow one another; the grid's are all independent.`,
    ...instead,
  ];
}
