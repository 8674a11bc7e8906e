/** Importance: what functional ANOVA says, against sums over the whole grid, another program, and grids with holes. */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {
  type Importance,
  importanceCaption,
  importanceOf,
  importanceRows,
  importancesOf,
} from '../../../../core/run/compare/importance.ts';
import {type SettingRow, type SettingsTable, settingsTables} from '../../../../core/run/compare/settings-table.ts';
import type {RunState} from '../../../../core/run/fold.ts';
import {grid, richRun} from '../../figure/rich-run.ts';

/** The table of a full grid, in an order of its own. */
function tableOf(levels: readonly number[], valuesAt: (places: readonly number[]) => number[]): SettingsTable {
  let all: number[][] = [[]];
  for (const number of levels)
    all = all.flatMap(places => Array.from({length: number}, (_, place) => [...places, place]));
  const rows = all.map((places): SettingRow => {
    const values = valuesAt(places);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const std = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
    return {places, method: 'lora', mean, std, seeds: values.length, trials: []};
  });
  const factors = levels.map((number, k) => ({
    key: `f${k}`,
    title: `f${k}`,
    levels: Array.from({length: number}, (_, place) => `${place}`),
  }));
  return {task: 'gsm8k', metric: 'accuracy', factors, rows: rows.toReversed(), diverged: 0};
}

/**
 * The same by its definition (Hooker 2007): the effect of every subset of factors is the mean over all others minus all effects of its own
 * subsets; its variance is a mean over all cells.
 */
function byDefinition({factors, rows}: SettingsTable): Map<string, number> {
  const n = factors.length;
  const effects = new Map<number, (places: readonly number[]) => number>();
  const variances = new Map<string, number>();
  for (let set = 0; set < 2 ** n; set++) {
    const has = (k: number, of = set): boolean => (of & (1 << k)) !== 0;
    const known = new Map<string, number>();
    effects.set(set, places => {
      const key = places.map((place, k) => (has(k) ? place : '')).join(' ');
      const before = known.get(key);
      if (before !== undefined) return before;
      const alike = rows.filter(row => row.places.every((place, k) => !has(k) || place === places[k]));
      let value = alike.reduce((sum, row) => sum + row.mean, 0) / alike.length;
      for (let other = 0; other < set; other++) if ((other & set) === other) value -= effects.get(other)!(places);
      known.set(key, value);
      return value;
    });
    const name = factors.flatMap(({title}, k) => (has(k) ? [title] : [])).join(' × ');
    if (set > 0)
      variances.set(name, rows.reduce((sum, row) => sum + effects.get(set)!(row.places) ** 2, 0) / rows.length);
  }
  return variances;
}

const noise = (places: readonly number[], k: number): number =>
  Math.sin(places.reduce((sum, place) => 7.3 * sum + place, 1 + 11 * k));

const worlds: [string, SettingsTable][] = [
  ['noise alone', tableOf([3, 2, 4], places => [noise(places, 0)])],
  ['sums and products', tableOf([4, 3, 2], ([a, b, c]) => [a! + 2 * b! + 0.5 * a! * c! + 0.1 * b! * c! * a!])],
  ['two factors with seeds', tableOf([5, 4], p => [1, 2, 3].map(k => p[0]! - 0.3 * p[1]! ** 2 + noise(p, k)))],
  ['four factors', tableOf([2, 3, 2, 3], places => [noise(places, 1) + 3 * places[1]!])],
];

describe('importance on a full grid', () => {
  it.each(worlds)('is the variance of each effect by its definition: %s', (_, table) => {
    const found = importanceOf(table)!;
    const variances = byDefinition(table);
    const between = [...variances.values()].reduce((sum, value) => sum + value, 0);
    const within = table.rows.map(({std, seeds}) => ((std ?? 0) ** 2 * (seeds - 1)) / seeds);
    const whole = between + within.reduce((sum, value) => sum + value, 0) / table.rows.length;
    for (const {title, alone, total} of found.factors) {
      const own = [...variances].filter(([name]) => name.split(' × ').includes(title));
      expect(alone).toBeCloseTo(variances.get(title)! / whole, 12);
      expect(total).toBeCloseTo(own.reduce((sum, [, value]) => sum + value, 0) / whole, 12);
    }
    for (const {titles, share} of found.pairs)
      expect(share).toBeCloseTo(variances.get(titles.join(' × '))! / whole, 12);
    expect(found.seeds ?? 0).toBeCloseTo(1 - between / whole, 12);
    expect(found.factors.map(({total}) => total)).toEqual(
      found.factors.map(({total}) => total).toSorted((a, b) => b - a),
    );
  });

  it('has the sums of squares of statsmodels, and the order of Optuna', () => {
    const file = new URL('../../../fixtures/importance/importance.json', import.meta.url);
    const golden: Golden = JSON.parse(readFileSync(file, 'utf8'));
    const {levels, values, shares, residual, optuna} = golden;
    const table = tableOf(levels, places => values[places.join(' ')]!);
    const found = importanceOf(table)!;
    for (const [title, share] of Object.entries(shares).filter(([name]) => !name.includes(':')))
      expect(found.factors.find(one => one.title === title)?.alone).toBeCloseTo(share, 10);
    for (const {titles, share} of found.pairs) expect(share).toBeCloseTo(shares[titles.join(':')]!, 10);
    expect(found.seeds).toBeCloseTo(residual, 10);
    // Its forest moves shares by some points; of which matters more it says the same.
    const byOptuna = Object.entries(optuna).sort(([, a], [, b]) => b - a);
    const alone = found.factors.toSorted((a, b) => b.alone - a.alone);
    expect(alone.map(({title}) => title)).toEqual(byOptuna.map(([title]) => title));
  });
});

interface Golden {
  levels: number[];
  /** By places: one value a seed. */
  values: Record<string, number[]>;
  shares: Record<string, number>;
  residual: number;
  optuna: Record<string, number>;
}

const titlesOf = ({factors}: Importance): string[] => factors.map(({title}) => title);

describe('the importance of a run', () => {
  const state = richRun({methods: ['lora', 'pissa', 'dora'], rates: grid(1e-5, 8)});

  it('has a part for everything that varies, all of it at most 100 %', () => {
    const [accuracy, loss] = importancesOf(state) as [Importance, Importance];
    expect([accuracy.metric, loss.metric]).toEqual(['accuracy', 'loss']);
    const {factors, pairs, seeds} = accuracy;
    expect(titlesOf(accuracy).toSorted()).toEqual(['batch size', 'learning rate', 'method', 'rank', 'weight decay']);
    expect(factors[0]!.title).toBe('learning rate');
    const sum = [...factors.map(({alone}) => alone), ...pairs.map(({share}) => share), seeds ?? 0];
    expect(sum.reduce((a, b) => a + b)).toBeLessThanOrEqual(1 + 1e-12);
    for (const {alone, total} of factors) expect(total).toBeGreaterThanOrEqual(alone - 1e-12);
  });

  it('leaves out levels where trainings diverged, and says so', () => {
    const holes = without(state, ({learningRate, method}) => learningRate === grid(1e-5, 8)[7]! && method === 'dora');
    const [found] = importancesOf(holes) as [Importance];
    expect(found.without).toEqual(['learning rate 5.62e-4']);
    expect(found.settings).toBe(3 * 2 * 2 * 2 * 7);
    expect(importanceCaption(found)).toContain('without learning rate 5.62e-4');
    expect(found.factors.find(({title}) => title === 'learning rate')?.levels).toBe(7);
  });

  it('is not said where a full grid has less than half of the settings', () => {
    let k = 0;
    const sparse = without(state, () => k++ % 5 > 1);
    expect(settingsTables(sparse)[0]!.rows.length).toBeGreaterThan(0);
    expect(importancesOf(sparse)).toEqual([]);
  });

  it('is not said of one thing that varies, nor where nothing does', () => {
    const one = {methods: ['lora'], ranks: [8], batchSizes: [16], decays: ['0']};
    expect(importancesOf(richRun(one))).toEqual([]);
    expect(importanceOf(tableOf([3, 3], () => [0.5]))).toBeNull();
    expect(importanceOf(tableOf([3, 3], () => [0.1 + 0.2]))).toBeNull();
  });

  it('stands in rows: each factor, pairs that are seen, seeds', () => {
    const [found] = importancesOf(state) as [Importance];
    const rows = importanceRows(found);
    expect(rows.slice(0, 5).map(([title]) => title)).toEqual(titlesOf(found));
    expect(rows.at(-1)![0]).toBe('seeds of one setting');
    for (const [title = '', , alone = ''] of rows.slice(5, -1)) {
      expect(title).toContain(' × ');
      expect(Number.parseFloat(alone)).toBeGreaterThanOrEqual(0.5);
    }
  });
});

/** As if these trials had diverged. */
function without(state: RunState, isGone: (trial: RunState['trials'][number]['trial']) => boolean): RunState {
  return {
    ...state,
    trials: state.trials.map(view => (isGone(view.trial) ? {...view, state: 'diverged', evaluations: []} : view)),
  };
}
