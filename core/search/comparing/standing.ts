/** Where a cell stands: its best rate, with the values that are known of it. */
import {grouped} from '../../grouped.ts';
import {lowerIsBetter, methodCurve, ratePoint} from '../../run/peak.ts';
import type {Sample} from '../../run/verdict/words.ts';
import {nameOf, type Trial} from '../../sweep/sweep.ts';
import type {Cell, TrialFacts} from '../search.ts';

export interface Standing extends Sample {
  cell: Cell;
  /** Place of its best rate in `cell.rates`. */
  best: number;
  /** Of the other cells of its group the one that came closest; absent where none has a value. */
  sibling?: Standing;
}

/** Where each method stands: by the best cell of its group, of those with the most seeds. Without those that have no value. */
export function standingsOf(
  cells: readonly Cell[],
  facts: ReadonlyMap<string, TrialFacts>,
  metric: string,
): Standing[] {
  const all = cells.flatMap(cell => standingOf(cell, facts, metric) ?? []);
  const sign = lowerIsBetter(metric) ? -1 : 1;
  return [...grouped(all, ({cell}) => cell.group?.id ?? cell.id).values()].map(group => {
    const byMean = group.toSorted((a, b) => sign * (b.mean - a.mean));
    const most = Math.max(...group.map(({seeds}) => seeds));
    const best = byMean.find(({seeds}) => seeds === most)!;
    const sibling = byMean.find(one => one !== best);
    return sibling ? {...best, sibling} : best;
  });
}

/** The best mean among the rates with the most seeds, as the page shows it; null where no rate has a value. */
export function standingOf(cell: Cell, facts: ReadonlyMap<string, TrialFacts>, metric: string): Standing | null {
  const method = nameOf(cell.trials[0]![0]!);
  const points = cell.rates.map((rate, place) => {
    const own = cell.trials[place]!.flatMap(({id}) => facts.get(id) ?? []);
    const whole = own.filter(fact => fact.state === 'finished' && fact.metric !== null);
    const right = whole.flatMap(fact => fact.right ?? []);
    const point = ratePoint(
      rate,
      whole.map(({metric: value}) => value!),
      own.filter(({state}) => state === 'diverged').length,
    );
    return right.length > 0 && right.length === whole.length ? {...point, right} : point;
  });
  const {peak} = methodCurve(method, points, metric);
  if (!peak) return null;
  const {mean, std, seeds, right} = peak;
  return {cell, best: cell.rates.indexOf(peak.learningRate), method, mean, std, seeds, ...(right && {right})};
}

/** Whether nothing more is to be learnt of a trial. */
export function isDone(fact: TrialFacts | undefined): boolean {
  return fact?.state === 'diverged' || (fact?.state === 'finished' && fact.metric !== null);
}

/** So many seeds for a rate: those it has trials of, then new numbers, from one above all of the comparison's own. */
export function seedsAt(trials: readonly Trial[], number: number, cells: readonly Pick<Cell, 'seeds'>[]): number[] {
  const seeds = trials.map(({seed}) => seed);
  const limit = 2 ** 32;
  for (let next = Math.max(...cells.flatMap(cell => cell.seeds)) + 1; seeds.length < number; next++)
    if (!seeds.includes(next % limit)) seeds.push(next % limit);
  return seeds.slice(0, Math.max(number, trials.length));
}
