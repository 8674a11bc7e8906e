/** The product's own search over the trials of a sweep that was trained whole: what it would have trained, and what it would have found. */
import {mean} from '../../../core/numbers.ts';
import {unitOf} from '../../../core/run/peak.ts';
import {challenge} from '../../../core/search/comparing/challenge.ts';
import {comparisonsOf} from '../../../core/search/comparing/comparisons.ts';
import {decide} from '../../../core/search/decide.ts';
import type {Cell, Decision, SearchStage, TrialFacts, Wanted} from '../../../core/search/search.ts';
import {type Recording, replay} from './recording.ts';

/** What a search came to. */
export interface Found {
  /** Of the cell's own grid. */
  share: number;
  /** Lost against the best mean of the grid, in points: of a share, and of a loss in percent of it. */
  regret: number;
}

export interface LiveSearch {
  method: string;
  /** The search by itself, as it is where one method is tuned. */
  alone: Found;
  /** After the challenges before words stood, which look at further rates of a method that seems behind. */
  challenged: Found;
  /** The share of the search by itself, by what it was spent on. */
  spent: Partial<Record<SearchStage, number>>;
  /** How far above the rate that it found by itself the scan put the best one, in steps of the grid. */
  above: number;
  /** What the search said of rates whose seeds scatter. */
  unstable: string[];
}

/** Seeds of a grid that is searched. */
export const seedsEach = 3;

/**
 * One search of each cell; `first`: place of the seed that it begins with, the next ones follow. `lowest`: place of the rate at which
 * the scan's loss is lowest, in place of what was recorded.
 */
export function searchLive(recording: Recording, first: number, lowest?: number): LiveSearch[] {
  const {rules} = recording;
  const grids = replay(recording);
  const cells = grids.map(({cell}) => beginningWith(cell, first));
  const recorded = new Map(grids.flatMap(grid => [...grid.whole]));
  const whole = lowest === undefined ? recorded : scannedOtherwise(cells, recorded, lowest);
  const known = new Map<string, TrialFacts>();
  const total = new Map(cells.flatMap(cell => cell.trials.flat().map(({id}) => [id, cell.steps])));
  const train = (wanted: readonly Wanted[]): void => {
    for (const {trial, until} of wanted) known.set(trial, upTo(whole.get(trial)!, until, total.get(trial)!));
  };
  const decisions = (): Decision[] => cells.map(cell => decide(cell, known, rules));
  const [metric] = rules.objective.metrics as [string];
  const found = (chosen: readonly Decision[]): Found[] =>
    cells.map((cell, k) => ({
      share: shareOf(cell, known),
      regret: regretOf(cell, whole, chosen[k]!.chosen!, metric),
    }));
  const spent = cells.map((): LiveSearch['spent'] => ({}));
  for (let all = decisions(); all.some(({wanted}) => wanted.length > 0); all = decisions())
    for (const [k, {stage, wanted}] of all.entries()) {
      const before = shareOf(cells[k]!, known);
      train(wanted);
      spent[k]![stage] = (spent[k]![stage] ?? 0) + shareOf(cells[k]!, known) - before;
    }
  const searched = decisions();
  const alone = found(searched);
  for (;;) {
    const settings = {margin: rules.margin, baseline: 'lora', metric};
    const wanted = comparisonsOf(cells).flatMap(own => challenge(own, decisions(), known, settings).wanted);
    if (wanted.length === 0) break;
    train(wanted);
  }
  const challenged = found(decisions());
  return cells.map(({trials, rates}, k) => ({
    method: trials[0]![0]!.method,
    alone: alone[k]!,
    challenged: challenged[k]!,
    spent: spent[k]!,
    above: Math.log(searched[k]!.place! / searched[k]!.chosen!) / Math.log(rates[1]! / rates[0]!),
    unstable: [...searched[k]!.why.matchAll(/unstable at [^)]*\)/g)].map(([text]) => text),
  }));
}

/**
 * The least that each search by itself could have trained, had its scan been lowest at any other rate, without losing more: what is left is not
 * the scan's.
 */
export function withTheBestScan(recording: Recording, first: number): number[] {
  const rates = recording.cells[0]!.rates;
  const others = rates.map((_, lowest) => searchLive(recording, first, lowest));
  return searchLive(recording, first).map(({alone}, cell) => {
    const asGood = others.map(other => other[cell]!.alone).filter(({regret}) => regret <= alone.regret);
    return Math.min(alone.share, ...asGood.map(({share}) => share));
  });
}

/** Facts whose scans have their lowest loss, as low as it was, at one rate, and lose a tenth beside it. */
function scannedOtherwise(
  cells: readonly Cell[],
  whole: ReadonlyMap<string, TrialFacts>,
  lowest: number,
): Map<string, TrialFacts> {
  const facts = new Map(whole);
  for (const {trials} of cells) {
    const least = Math.min(...trials.map(([trial]) => whole.get(trial!.id)!.scanTail ?? Number.POSITIVE_INFINITY));
    for (const [rate, [trial]] of trials.entries())
      facts.set(trial!.id, {...whole.get(trial!.id)!, scanTail: least * (1 + 0.1 * (rate - lowest) ** 2)});
  }
  return facts;
}

/** The same cell with some of its seeds, another one in front. */
function beginningWith(cell: Cell, first: number): Cell {
  const turned = <Item>(items: readonly Item[]) =>
    [...items.slice(first), ...items.slice(0, first)].slice(0, seedsEach);
  return {...cell, seeds: turned(cell.seeds), trials: cell.trials.map(turned)};
}

/** As if it had been trained so far: a trial's numbers do not depend on where it paused. */
export function upTo(fact: TrialFacts, until: number, total: number): TrialFacts {
  if (until >= total || (fact.state === 'diverged' && fact.steps <= until)) return fact;
  return {...fact, state: 'paused', steps: until, endTail: null, metric: null};
}

function shareOf({trials, steps}: Cell, known: ReadonlyMap<string, TrialFacts>): number {
  const all = trials.flat();
  return all.reduce((sum, {id}) => sum + (known.get(id)?.steps ?? 0), 0) / (steps * all.length);
}

function regretOf(
  {trials, rates}: Cell,
  whole: ReadonlyMap<string, TrialFacts>,
  chosen: number,
  metric: string,
): number {
  const isLoss = unitOf(metric) === 'loss';
  // The mean of those that diverged is as bad as it can be.
  const means = trials.map(row =>
    mean(row.map(({id}) => whole.get(id)!.metric ?? (isLoss ? Number.POSITIVE_INFINITY : 0))),
  );
  const own = means[rates.indexOf(chosen)]!;
  return isLoss ? 100 * (own / Math.min(...means) - 1) : 100 * (Math.max(...means) - own);
}
