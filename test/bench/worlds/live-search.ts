/** The product's own search over the trials of a sweep that was trained whole: what it would have trained, and what it would have found. */
import {mean} from '../../../core/numbers.ts';
import {unitOf} from '../../../core/run/peak.ts';
import {challenge} from '../../../core/search/comparing/challenge.ts';
import {comparisonsOf} from '../../../core/search/comparing/comparisons.ts';
import {decide} from '../../../core/search/decide.ts';
import type {Cell, Decision, TrialFacts, Wanted} from '../../../core/search/search.ts';
import {type Recording, replay} from './recording.ts';

export interface LiveSearch {
  method: string;
  /** Of the cell's own grid: of the search alone, and with the challenges before words stood. */
  share: number;
  challenged: number;
  /** Lost against the best mean of the grid, in points: of a share, and of a loss in percent of it. */
  regret: number;
  /** What the search said of rates whose seeds scatter. */
  unstable: string[];
}

/** Seeds of a grid that is searched. */
export const seedsEach = 3;

/** One search of each cell; `first`: place of the seed that it begins with, the next ones follow. */
export function searchLive(recording: Recording, first: number): LiveSearch[] {
  const {rules} = recording;
  const grids = replay(recording);
  const cells = grids.map(({cell}) => beginningWith(cell, first));
  const whole = new Map(grids.flatMap(grid => [...grid.whole]));
  const known = new Map<string, TrialFacts>();
  const total = new Map(cells.flatMap(cell => cell.trials.flat().map(({id}) => [id, cell.steps])));
  const train = (wanted: readonly Wanted[]): void => {
    for (const {trial, until} of wanted) known.set(trial, upTo(whole.get(trial)!, until, total.get(trial)!));
  };
  const decisions = (): Decision[] => cells.map(cell => decide(cell, known, rules));
  for (let all = decisions(); all.some(({wanted}) => wanted.length > 0); all = decisions())
    train(all.flatMap(({wanted}) => wanted));
  const searched = sharesOf(cells, known);
  const found = decisions();
  const [metric] = rules.objective.metrics as [string];
  for (;;) {
    const settings = {margin: rules.margin, baseline: 'lora', metric};
    const wanted = comparisonsOf(cells).flatMap(own => challenge(own, decisions(), known, settings).wanted);
    if (wanted.length === 0) break;
    train(wanted);
  }
  const challenged = sharesOf(cells, known);
  return decisions().map(({chosen}, k) => ({
    method: cells[k]!.trials[0]![0]!.method,
    share: searched[k]!,
    challenged: challenged[k]!,
    regret: regretOf(cells[k]!, whole, chosen!, metric),
    unstable: [...found[k]!.why.matchAll(/unstable at [^)]*\)/g)].map(([text]) => text),
  }));
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

function sharesOf(cells: readonly Cell[], known: ReadonlyMap<string, TrialFacts>): number[] {
  return cells.map(({trials, steps}) => {
    const all = trials.flat();
    return all.reduce((sum, {id}) => sum + (known.get(id)?.steps ?? 0), 0) / (steps * all.length);
  });
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
