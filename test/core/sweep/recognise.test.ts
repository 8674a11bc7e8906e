import {describe, expect, it} from 'vitest';
import {onlySweep} from '../../../core/sweep/only.ts';
import {gridPoints, shownRates, writeRate} from '../../../core/sweep/rates.ts';
import {recognised} from '../../../core/sweep/recognise.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {sweepOf} from './files.ts';

const sweep = (rates: string, more = '') =>
  sweepOf(
    `model: m\ndata: {train: a.jsonl}\nmethods: [lora]\nrank: 4\nbatch_size: 8\nlearning_rate: ${rates}\n${more}`,
  );
const trials = (rates: string, more = '') => expandTrials(sweep(rates, more));
const brief = (found: ReturnType<typeof trials>) => found.map(({id, learningRate}) => [id, learningRate]);
const ids = (found: ReturnType<typeof trials>) => found.map(({id}) => id);

describe('trials of a sweep file beside those that are stored', () => {
  it('are as they are where nothing is stored', () => {
    expect(recognised(trials('[1e-3, 1.001e-3]'), [])).toEqual(trials('[1e-3, 1.001e-3]'));
  });

  it.each([
    ['typed with three digits', '5.62e-4'],
    ['as tables show it', String(shownRates(5.6234132519e-4)[0])],
    ['as a quick fix writes it', writeRate(5.6234132519e-4)],
    ['0.1 % above', String(5.6234132519e-4 * 1.001)],
    ['0.1 % below', String(5.6234132519e-4 * 0.999)],
  ])('keep id and rate with the rate %s', (_, written) => {
    const stored = trials('[5.6234132519e-4]');
    expect(recognised(trials(`[${written}]`), stored)).toEqual(stored);
  });

  it('are found by three digits also where these are more than 0.1 % off, and not by others', () => {
    const stored = trials('[1.3335e-3]');
    expect(recognised(trials('[1.33e-3]'), stored)).toEqual(stored);
    expect(brief(recognised(trials('[1.331e-3]'), stored))).toEqual([['lora-r4-b8-lr1.331e-3-s1', 1.331e-3]]);
    expect(brief(recognised(trials('[1.34e-3]'), stored))).toEqual([['lora-r4-b8-lr1.34e-3-s1', 1.34e-3]]);
  });

  it('keep their ids beside a neighbour, which is a trial of its own', () => {
    const stored = trials('[1e-3]');
    expect(brief(recognised(trials('[1e-3, 1.001e-3]'), stored))).toEqual([
      ['lora-r4-b8-lr1.00e-3-s1', 1e-3],
      ['lora-r4-b8-lr1.001e-3-s1', 1.001e-3],
    ]);
    expect(brief(recognised(trials('[9.999e-4, 1e-3]'), stored))).toEqual([
      ['lora-r4-b8-lr9.999e-4-s1', 9.999e-4],
      ['lora-r4-b8-lr1.00e-3-s1', 1e-3],
    ]);
  });

  it('keep their ids when that neighbour goes', () => {
    const stored = trials('[1e-3, 1.001e-3]');
    expect(ids(stored)).toEqual(['lora-r4-b8-lr1.000e-3-s1', 'lora-r4-b8-lr1.001e-3-s1']);
    expect(recognised(trials('[1e-3]'), stored)).toEqual(stored.slice(0, 1));
    expect(recognised(trials('[1.001e-3]'), stored)).toEqual(stored.slice(1));
  });

  it('take more digits for an id that is stored as another trial', () => {
    const stored = trials('[1e-3]').map(trial => ({...trial, learningRate: 1.004e-3}));
    expect(brief(recognised(trials('[1.0015e-3]'), stored))).toEqual([['lora-r4-b8-lr1.002e-3-s1', 1.0015e-3]]);
  });

  it.each([
    ['from below', 5e-2, {from: 1.5811e-2, to: 1, per_decade: 4}],
    ['from far below', 5e-2, {from: 8.8914e-6, to: 1, per_decade: 4}],
    ['upwards', 5e-2, {from: 5e-2, to: 3.1623, per_decade: 4}],
    ['into twice the points', 5e-2, {from: 5e-2, to: 1, per_decade: 8}],
    ['into three times the points', 5e-2, {from: 5e-2, to: 1, per_decade: 12}],
  ])('keep a grid that is extended %s, whatever fixes round', (_, from, grid) => {
    const old = gridPoints({from, to: 1, per_decade: 4});
    const stored = trials(`[${old.join(', ')}]`);
    const found = recognised(trials(`[${gridPoints(grid).join(', ')}]`), stored);
    for (const one of stored) expect(found).toContainEqual(one);
    expect(new Set(ids(found)).size).toBe(found.length);
    expect(found).toHaveLength(gridPoints(grid).length);
  });

  it('give further seeds and methods the rates that earlier ones have', () => {
    const stored = trials('[5.6234132519e-4]');
    expect(brief(recognised(trials('[5.62e-4]', 'seeds: [1, 2]'), stored))).toEqual([
      ['lora-r4-b8-lr5.62e-4-s1', 5.6234132519e-4],
      ['lora-r4-b8-lr5.62e-4-s2', 5.6234132519e-4],
    ]);
    const other = sweepOf(
      'model: m\ndata: {train: a.jsonl}\nmethods: [pissa]\nrank: 4\nbatch_size: 8\nlearning_rate: [5.62e-4]\n',
    );
    expect(brief(recognised(expandTrials(other), stored))).toEqual([['pissa-r4-b8-lr5.62e-4-s1', 5.6234132519e-4]]);
  });

  it('never share a stored trial, however dense the file', () => {
    const rates = Array.from({length: 40}, (_, k) => 1e-3 * 1.0003 ** k);
    const stored = trials(`[${rates.filter((_, k) => k % 3 === 1).join(', ')}]`);
    const found = recognised(trials(`[${rates.join(', ')}]`, 'seeds: [1, 2]'), stored);
    expect(new Set(ids(found)).size).toBe(80);
    expect(new Set(found.map(({learningRate, seed}) => `${learningRate} ${seed}`)).size).toBe(80);
    for (const one of stored) expect(found).toContainEqual(one);
  });

  it('are chosen by the ids under which they are stored', () => {
    const stored = trials('[1e-3]');
    const file = sweep('[1e-3, 1.001e-3]');
    expect(ids(onlySweep(file, ['trial=lora-r4-b8-lr1.00e-3-s1'], {trials: stored}))).toEqual([
      'lora-r4-b8-lr1.00e-3-s1',
    ]);
    expect(() => onlySweep(file, ['trial=lora-r4-b8-lr1.000e-3-s1'], {trials: stored})).toThrow(/ids look like/);
  });

  it('are found among thousands', () => {
    const dense = '{from: 1e-5, to: 1e-1, per_decade: 50}';
    const stored = trials(dense, 'seeds: [1, 2, 3, 4, 5]');
    const found = trials('{from: 1.0001e-5, to: 1e-1, per_decade: 50}', 'seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]');
    const known = new Set(ids(stored));
    expect(recognised(found, stored).filter(({id}) => known.has(id))).toHaveLength(stored.length);
  });
});
