/** What each key of a run is there for, read from its results: of runs that no one sweep file stands for. */
import {grouped} from '../../grouped.ts';
import {axisCount} from '../../sweep/axes/axes.ts';
import {nameOf} from '../../sweep/sweep.ts';
import type {RunState} from '../fold.ts';
import {count} from '../format.ts';
import {axesIn, type Placed} from './conditions.ts';

type Result = Placed & {method: string; name?: string; learningRate: number};

/** `5 methods compared × 2 models × 3 batch sizes, each tuned over up to 12 rates, up to 3 seeds, by 2 metrics`. */
export function rolesOfRun(state: RunState): string {
  const {conditions, tuned} = axesIn(state);
  const trials = state.trials.map(({trial}) => trial);
  const results: Result[] = [...trials, ...state.aggregates];
  const numberOf = (of: (one: Result) => unknown): number =>
    new Set(results.map(of).filter(value => value !== undefined && value !== null)).size;
  const values = (key: string): number => numberOf(({settings, own}) => (own?.includes(key) ? null : settings?.[key]));
  const places: [string, number][] = [
    ['model', numberOf(({model}) => model)],
    ...conditions.map((key): [string, number] => [key, values(key)]),
    ['rank', numberOf(({rank, own}) => (own?.includes('rank') ? null : rank))],
    ['batch_size', numberOf(({batchSize, own}) => (own?.includes('batch_size') ? null : batchSize))],
  ];
  const under = places.filter(([, number]) => number > 1).map(([key, number]) => ` × ${axisCount(key, number)}`);
  const cells = grouped(results, one =>
    JSON.stringify([nameOf(one), one.model, one.rank, one.batchSize, one.settings]),
  );
  const rates = Math.max(0, ...[...cells.values()].map(cell => new Set(cell.map(one => one.learningRate)).size));
  const seeds = Math.max(...[new Set(trials.map(({seed}) => seed)).size, ...state.aggregates.map(one => one.seeds)]);
  const metrics = new Set([
    ...state.trials.flatMap(({evaluations}) => evaluations.map(({task, metric}) => `${task} ${metric}`)),
    ...state.aggregates.map(({task, metric}) => `${task} ${metric}`),
  ]);
  const over = [count(rates, 'rate'), ...tuned.map(key => axisCount(key, values(key)))].join(' × ');
  const most = rates > 1 ? 'up to ' : '';
  return `${count(numberOf(nameOf), 'method')} compared${under.join('')}, each tuned over ${most}${over}, ${seeds > 1 ? 'up to ' : ''}${count(seeds, 'seed')}, by ${count(metrics.size, 'metric')}`;
}
