/** The table of trials: what it shows, filters and sorts. */
import {describe, expect, it} from 'vitest';
import {emptyRun, foldAll} from '../../core/run/fold.ts';
import {columnsOf, firstTable, hiddenKeys, rowsOf, shownColumns, type TableView} from '../../webviews/trials/rows.ts';
import {toyEvents} from '../core/run/toy-run.ts';

const state = foldAll(emptyRun, toyEvents());
const columns = columnsOf(state);
const ids = (view: Partial<TableView>): string[] =>
  rowsOf(state.trials, columns, {...firstTable, ...view}).map(({trial}) => trial.id);
const trialsWhere = (test: (view: (typeof state.trials)[number]) => boolean): string[] =>
  state.trials.filter(test).map(({trial}) => trial.id);

describe('columns', () => {
  it('are method, conditions, rate, seed, state, values, loss, steps and time', () => {
    const keys = columns.map(({key}) => key);
    expect(keys.slice(0, 3)).toEqual(['method', 'rank', 'batch_size']);
    expect(keys.indexOf('learning_rate')).toBeLessThan(keys.indexOf('seed'));
    expect(keys.indexOf('state')).toBeLessThan(keys.indexOf('loss'));
    expect(keys.at(-1)).toBe('time');
  });

  it('hide settings that tell nothing apart until the reader chooses; the method is never hidden', () => {
    const constant = columns.filter(({isConstant}) => isConstant).map(({key}) => key);
    expect(hiddenKeys(columns, null).every(key => constant.includes(key))).toBe(true);
    expect(hiddenKeys(columns, null)).toContain('batch_size');
    expect(
      shownColumns(
        columns,
        columns.map(({key}) => key),
      ).map(({key}) => key),
    ).toEqual(['method']);
    expect(shownColumns(columns, [])).toHaveLength(columns.length);
  });
});

describe('a filter', () => {
  it('takes words anywhere in the row, all of which must be there', () => {
    expect(ids({filter: 'PiSSA'})).toEqual(trialsWhere(({trial}) => trial.method === 'pissa'));
    expect(ids({filter: 'pissa diverged'})).toEqual(
      trialsWhere(({trial, state: now}) => trial.method === 'pissa' && now === 'diverged'),
    );
    expect(ids({filter: 'no such word'})).toEqual([]);
  });

  it('takes a column with a bound', () => {
    const rates = state.trials.map(({trial}) => trial.learningRate);
    const middle = [...new Set(rates)].sort((a, b) => a - b)[1]!;
    expect(ids({filter: `lr<${middle}`})).toEqual(trialsWhere(({trial}) => trial.learningRate < middle));
    expect(ids({filter: `rate>=${middle}`})).toEqual(trialsWhere(({trial}) => trial.learningRate >= middle));
    expect(ids({filter: 'state=finished seed=2'})).toEqual(
      trialsWhere(({trial, state: now}) => now === 'finished' && trial.seed === 2),
    );
  });
});

describe('sorted rows', () => {
  it('are in the order of the numbers, those without one at the end in either direction', () => {
    for (const isDown of [false, true]) {
      const rows = rowsOf(state.trials, columns, {...firstTable, sortBy: 'loss', isDown});
      const losses = rows.map(({loss}) => loss);
      const known = losses.filter(loss => loss !== null);
      expect(losses.slice(0, known.length)).toEqual(known);
      expect(known).toEqual([...known].sort((a, b) => (isDown ? b - a : a - b)));
      expect(rows).toHaveLength(state.trials.length);
    }
  });

  it('are in the order of the sweep where nothing is chosen', () => {
    expect(ids({})).toEqual(state.trials.map(({trial}) => trial.id));
  });
});
