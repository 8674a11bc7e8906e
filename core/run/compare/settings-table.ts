/** What was trained, as a table: everything that varies over a run, and the mean over seeds of every combination of it that has a value. */
import {methodTitle} from '../../method/title.ts';
import {axisTitle} from '../../sweep/axes/axes.ts';
import {inAxisOrder} from '../../sweep/axes/keys.ts';
import {nameOf, noRank} from '../../sweep/sweep.ts';
import type {Aggregate, RunState, TrialView} from '../fold.ts';
import {formatRate} from '../format.ts';
import {ratePoint} from '../peak.ts';
import {countedRun} from '../trials/dropped-trials.ts';
import {latest, measuresOf} from '../verdict/measures.ts';
import type {Placed} from './conditions.ts';
import {objectiveFirst, withMeans} from './objective.ts';

/** Something that varies: the method, the learning rate, the rank, an axis. */
export interface Factor {
  key: string;
  title: string;
  /** Its values as people read them: numbers rising, others in the order of the sweep. */
  levels: string[];
}

/** One combination. */
export interface SettingRow {
  /** Of each factor the place of its level. */
  places: number[];
  /** The name that its method is compared under. */
  method: string;
  mean: number;
  /** Sample standard deviation over seeds; null with fewer than two. */
  std: number | null;
  /** Seeds with a value. */
  seeds: number;
  /** Ids of the trials behind it; none of what was published as a mean. */
  trials: string[];
}

export interface SettingsTable {
  task: string;
  metric: string;
  /** Those with two levels at least: method first, learning rate last. */
  factors: Factor[];
  rows: SettingRow[];
  /** Combinations that were trained and have no value: all their seeds diverged. */
  diverged: number;
}

/** One a measure, the one that decides first; trials that the sweep file no longer has are left out. */
export function settingsTables(run: RunState): SettingsTable[] {
  const state = withMeans(countedRun(run));
  const tables = measuresOf(state).map(measure => tableOf(state, measure));
  return objectiveFirst(
    tables.filter(({rows}) => rows.length > 0),
    state,
  );
}

/** What a combination has of a factor: what tells it from others, how it is called, and its number where it is one. */
interface Level {
  id: string;
  text: string;
  number: number | null;
}

interface Found {
  levels: Level[];
  method: string;
  learningRate: number;
  values: number[];
  diverged: number;
  trials: string[];
  aggregate?: Aggregate;
}

function tableOf(state: RunState, measure: {task: string; metric: string}): SettingsTable {
  const {task, metric} = measure;
  const aggregates = state.aggregates.filter(one => one.task === task && one.metric === metric);
  const placed: Placed[] = [...state.trials.map(({trial}) => trial), ...aggregates];
  const keys = keysOf(placed);
  const all = new Map<string, Found>();
  const at = (one: Placed & {learningRate: number}, method: string): Found => {
    const levels = keys.map(key => levelOf(one, method, key, state));
    const key = JSON.stringify(levels.map(({id}) => id));
    const known = all.get(key) ?? {
      levels,
      method,
      learningRate: one.learningRate,
      values: [],
      diverged: 0,
      trials: [],
    };
    all.set(key, known);
    return known;
  };
  for (const view of state.trials) take(at(view.trial, nameOf(view.trial)), view, measure);
  for (const one of aggregates) at(one, one.method).aggregate = one;
  const valued = [...all.values()].flatMap(found => {
    const value = measured(found);
    return value === null ? [] : [{found, value}];
  });
  const levels = keys.map((_, k) => inOrder(valued.map(({found}) => found.levels[k]!)));
  const varying = keys.flatMap((_, k) => (levels[k]!.length > 1 ? [k] : []));
  return {
    task,
    metric,
    factors: varying.map(k => ({key: keys[k]!, title: axisTitle(keys[k]!), levels: levels[k]!.map(({text}) => text)})),
    rows: valued.map(({found, value}) => ({
      places: varying.map(k => levels[k]!.findIndex(({id}) => id === found.levels[k]!.id)),
      method: found.method,
      trials: found.trials,
      ...value,
    })),
    diverged: [...all.values()].filter(found => found.diverged > 0 && measured(found) === null).length,
  };
}

function take(found: Found, view: TrialView, measure: {task: string; metric: string}): void {
  if (view.state === 'diverged') found.diverged++;
  const {value = null} = view.state === 'finished' ? latest(view, measure) : {};
  if (value === null) return;
  found.values.push(value);
  found.trials.push(view.trial.id);
}

/** Values of single seeds say more than an aggregate does. */
function measured({
  values,
  diverged,
  learningRate,
  aggregate,
}: Found): Pick<SettingRow, 'mean' | 'std' | 'seeds'> | null {
  const {mean, std, seeds} = values.length > 0 || !aggregate ? ratePoint(learningRate, values, diverged) : aggregate;
  return mean === null ? null : {mean, std, seeds};
}

function keysOf(placed: readonly Placed[]): string[] {
  const further = inAxisOrder(placed.flatMap(({settings = {}}) => Object.keys(settings)));
  return ['method', 'model', ...further.filter(key => key !== 'model'), 'rank', 'batch_size', 'learning_rate'];
}

function levelOf(one: Placed & {learningRate: number}, method: string, key: string, {fixed}: RunState): Level {
  // What a variant gives itself is part of what it is.
  if (one.own?.includes(key)) return named('its own');
  switch (key) {
    case 'method':
      return {...named(method), text: methodTitle(method)};
    case 'model':
      return named(one.model ?? '');
    case 'rank':
      return one.rank === noRank ? named('all weights') : numbered(one.rank);
    case 'batch_size':
      return numbered(one.batchSize);
    case 'learning_rate':
      return {...numbered(one.learningRate), text: formatRate(one.learningRate)};
    default: {
      const text = one.settings?.[key] ?? fixed[key] ?? 'none';
      return text.trim() !== '' && Number.isFinite(Number(text)) ? {...numbered(Number(text)), text} : named(text);
    }
  }
}

const named = (text: string): Level => ({id: text, text, number: null});
const numbered = (number: number): Level => ({id: String(number), text: String(number), number});

/** Each level once: as they come, or rising where all are numbers. */
function inOrder(levels: readonly Level[]): Level[] {
  const each = [...new Map(levels.map(level => [level.id, level])).values()];
  const isNumeric = each.every(({number}) => number !== null);
  return isNumeric ? each.toSorted((a, b) => a.number! - b.number!) : each;
}
