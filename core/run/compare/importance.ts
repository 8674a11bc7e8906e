/**
 * How much each thing that varies matters: the variance of a metric over the full grid of what was trained, divided among its factors by
 * functional ANOVA (Hooker 2007; Hutter, Hoos & Leyton-Brown 2014, whose marginals a forest estimates; on a full grid they are exact).
 */
import {mean, product} from '../../numbers.ts';
import type {RunState} from '../fold.ts';
import {count, formatMeasure} from '../format.ts';
import type {Measure} from '../verdict/measures.ts';
import {type Factor, type SettingRow, type SettingsTable, settingsTables} from './settings-table.ts';

/** A part of the variance. Shares are of all of it, that between seeds included. */
export interface FactorShare {
  key: string;
  title: string;
  levels: number;
  /** By itself: the variance of the mean at each of its levels. */
  alone: number;
  /** With all interactions that it has part in. */
  total: number;
}

export interface Importance extends Measure {
  /** The largest total first. */
  factors: FactorShare[];
  /** What two factors do together beyond what each does alone, the largest first. */
  pairs: {titles: [string, string]; share: number}[];
  /** Between seeds of one setting; null where no setting has two. */
  seeds: number | null;
  /** Of the full grid, and the trials behind them (of published means their seeds). */
  settings: number;
  trials: number;
  /** What the full grid leaves out, in words: levels for which too much is not there. */
  without: string[];
}

/** One a measure that has a full grid of at least two factors with at least half of all settings: of less nothing is said. */
export function importances(tables: readonly SettingsTable[]): Importance[] {
  return tables.flatMap(table => importanceOf(table) ?? []);
}

export function importanceOf({task, metric, ...table}: SettingsTable): Importance | null {
  const {factors, rows, without} = fullGrid(table);
  if (factors.length < 2 || 2 * rows.length < table.rows.length) return null;
  const within = rows.flatMap(({std, seeds}) => (std === null ? [] : [(std ** 2 * (seeds - 1)) / seeds]));
  const seeds = within.length > 0 ? mean(within) : 0;
  const means = rows.map(row => row.mean);
  const between = variance(means);
  const whole = between + seeds;
  if (!(whole > 1e-24 * mean(means) ** 2)) return null;
  const among = (chosen: readonly number[]): number => variance(marginals(rows, chosen));
  const all = factors.map((_, k) => k);
  const alone = all.map(k => among([k]));
  const shares = factors.map(({key, title, levels}, k): FactorShare => {
    const others = all.filter(one => one !== k);
    return {key, title, levels: levels.length, alone: alone[k]! / whole, total: (between - among(others)) / whole};
  });
  const pairs = all.flatMap(i =>
    all
      .filter(j => j > i)
      .map(j => ({
        titles: [factors[i]!.title, factors[j]!.title] satisfies [string, string],
        share: Math.max(0, among([i, j]) - alone[i]! - alone[j]!) / whole,
      })),
  );
  return {
    ...{task, metric, without},
    factors: shares.map(atLeastZero).sort((a, b) => b.total - a.total),
    pairs: pairs.sort((a, b) => b.share - a.share),
    seeds: within.length > 0 ? seeds / whole : null,
    settings: rows.length,
    trials: rows.reduce((sum, row) => sum + row.seeds, 0),
  };
}

/** What is nothing may come out a rounding below it. */
function atLeastZero({alone, total, ...rest}: FactorShare): FactorShare {
  return {...rest, alone: Math.max(0, alone), total: Math.max(0, total)};
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map(value => (value - middle) ** 2));
}

/** Means over everything but the chosen factors, of a full grid. */
function marginals(rows: readonly SettingRow[], chosen: readonly number[]): number[] {
  const sums = new Map<string, {sum: number; number: number}>();
  for (const row of rows) {
    const key = chosen.map(k => row.places[k]).join(' ');
    const known = sums.get(key) ?? {sum: 0, number: 0};
    sums.set(key, {sum: known.sum + row.mean, number: known.number + 1});
  }
  return [...sums.values()].map(({sum, number}) => sum / number);
}

interface Grid {
  factors: Factor[];
  rows: SettingRow[];
  without: string[];
}

/** Leaves out one level after another, always the one of which the largest part is not there, until all combinations of the rest are. */
function fullGrid({factors, rows}: Pick<SettingsTable, 'factors' | 'rows'>): Grid {
  let kept = {rows, levels: factors.map(({levels}) => levels.map((_, place) => place))};
  const left: {factor: number; level: number}[] = [];
  for (;;) {
    const {levels} = kept;
    const cells = product(levels.map(own => own.length));
    if (kept.rows.length === cells) break;
    const {factor, level} = emptiest(kept.rows, levels, cells);
    left.push({factor, level});
    kept = {
      rows: kept.rows.filter(({places}) => places[factor] !== level),
      levels: levels.map((own, k) => (k === factor ? own.filter(one => one !== level) : own)),
    };
  }
  const varying = factors.flatMap((_, k) => (kept.levels[k]!.length > 1 ? [k] : []));
  return {
    factors: varying.map(k => ({...factors[k]!, levels: kept.levels[k]!.map(place => factors[k]!.levels[place]!)})),
    rows: kept.rows.map(row => ({...row, places: varying.map(k => row.places[k]!)})),
    without: factors.flatMap(({title, levels}, k) => {
      const own = left.flatMap(({factor, level}) => (factor === k ? [level] : [])).sort((a, b) => a - b);
      return own.length > 0 ? [`${title} ${own.map(level => levels[level]!).join(', ')}`] : [];
    }),
  };
}

/** Of equals that of which fewer settings are lost, then the last one. A factor keeps its last level. */
function emptiest(
  rows: readonly SettingRow[],
  levels: readonly (readonly number[])[],
  cells: number,
): {factor: number; level: number} {
  let found = {factor: 0, level: 0, missing: -1, present: 0};
  for (const [factor, own] of levels.entries()) {
    if (own.length < 2) continue;
    const size = cells / own.length;
    const counts = new Map<number, number>();
    for (const {places} of rows) counts.set(places[factor]!, (counts.get(places[factor]!) ?? 0) + 1);
    for (const level of own) {
      const present = counts.get(level) ?? 0;
      const missing = 1 - present / size;
      if (missing < found.missing || (missing === found.missing && present > found.present)) continue;
      found = {factor, level, missing, present};
    }
  }
  return found;
}

/** For tables: one row a factor, then what pairs do together (those of a share that is seen), then the seeds. */
export const importanceColumns = [
  {title: 'what varies', align: 'left'},
  {title: 'values', align: 'right'},
  {title: 'alone', align: 'right'},
  {title: 'with interactions', align: 'right'},
] as const;

/** Smaller shares of pairs stand in no table. */
const leastShare = 0.005;

export interface ShareRow extends Pick<FactorShare, 'alone' | 'total'> {
  /** Under `importanceColumns`. */
  cells: string[];
}

export function shareRows({factors, pairs, seeds}: Importance): ShareRow[] {
  const one = (name: string, share: number): ShareRow => ({
    ...{alone: share, total: share},
    cells: [name, '', inPercent(share), ''],
  });
  return [
    ...factors.map(({title, levels, alone, total}) => ({
      ...{alone, total},
      cells: [title, String(levels), inPercent(alone), inPercent(total)],
    })),
    ...pairs.filter(({share}) => share >= leastShare).map(({titles, share}) => one(titles.join(' × '), share)),
    ...(seeds === null ? [] : [one('seeds of one setting', seeds)]),
  ];
}

export const importanceRows = (importance: Importance): string[][] => shareRows(importance).map(({cells}) => cells);

/** `97.3 %`. */
export function inPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** By what it was computed and of how much, and how far it goes. */
export function importanceCaption({settings, trials, without}: Importance): string {
  const left = without.length > 0 ? ` (without ${without.join('; ')}: not every combination has a value there)` : '';
  return `Shares of the variance over ${count(settings, 'setting')}, ${count(trials, 'trial')}: functional ANOVA of their complete grid${left}. They are of this grid: the wider the values of one thing, the more it weighs.`;
}

/** As a heading. */
export function importanceTitle({task, metric}: Measure): string {
  return `What matters for ${formatMeasure(task, metric)}`;
}

/** Those of a run. */
export function importancesOf(run: RunState): Importance[] {
  return importances(settingsTables(run));
}
