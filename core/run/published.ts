/** Published results, one row a value, as the events of a run: what was measured elsewhere is read like one's own. */
import {SweepError} from '../error.ts';
import {type MethodName, methodNames} from '../method/methods.ts';
import type {Trial} from '../sweep/sweep.ts';
import {methodMeant} from '../sweep/table/method-names.ts';
import {rateNames, trialId} from '../sweep/trials.ts';
import type {Aggregated, Evaluated, RunEventBody} from './events.ts';
import {mostSeeds} from './line.ts';

/** The setting that a row belongs to. */
type Setting = Pick<Aggregated, 'method' | 'rank' | 'batchSize' | 'learningRate' | 'task' | 'metric'> & {model: string};

/**
 * The events of a run that has these results and nothing else.
 *
 * `document` is a list of rows, or an object with `rows` (a value of one seed: `value`, `seed`) and `aggregate_rows` (a
 * `mean`, `std` over `n_seeds`); both name `model`, `task`, `metric`, `method`, `rank`, `batch` (or `batch_size`) and `lr`
 * (or `learning_rate`). Values stand as they are given, whatever their unit. Trials take alpha = rank unless a row says otherwise.
 * @throws SweepError `bad-results`: which row, and what is wrong with it
 */
export function publishedEvents(document: unknown, name: string, source: string): RunEventBody[] {
  const {rows, aggregates} = tablesOf(document);
  const values = rows
    .map(({fields, place}) => ({...settingOf(fields, place), ...seedValueOf(fields, place), place}))
    .sort(byMethod);
  const means = aggregates
    .map(({fields, place}) => ({...settingOf(fields, place), ...meanOf(fields, place)}))
    .sort(byMethod);
  const models = new Set([...values, ...means].map(({model}) => model));
  const rates = [...new Set(values.map(({learningRate}) => learningRate))].sort((a, b) => a - b);
  const names = new Map(rateNames(rates).map((text, k) => [rates[k]!, text]));
  const trials = new Map<string, Trial>();
  const evaluations = new Map<string, Evaluated>();
  for (const {model, method, rank, batchSize, learningRate, task, metric, seed, alpha, value, place} of values) {
    const setting = {method, rank, alpha: alpha ?? rank, batchSize, learningRate, seed};
    const plain = trialId(setting, names.get(learningRate)!);
    const id = models.size > 1 ? `${model}-${plain}` : plain;
    trials.set(id, {id, ...setting, ...(models.size > 1 ? {model} : {})});
    const key = JSON.stringify([id, task, metric]);
    if (evaluations.has(key)) throw bad(`${place} gives ${metric} of ${id} a second time`);
    evaluations.set(key, {event: 'evaluation', trial: id, step: 0, task, metric, value, correct: null, total: 0});
  }
  return [
    {
      event: 'run-started',
      name,
      trials: [...trials.values()],
      engine: 'imported',
      reason: `imported from ${source}`,
      workers: 0,
      resumed: false,
      steps: {},
    },
    ...evaluations.values(),
    ...[...trials.keys()].map(
      (trial): RunEventBody => ({event: 'trial-ended', trial, state: 'finished', steps: 0, seconds: 0}),
    ),
    ...means.map(
      ({model, ...rest}): Aggregated => ({event: 'aggregate', ...(models.size > 1 ? {model} : {}), ...rest}),
    ),
    {event: 'run-ended', state: 'finished', seconds: 0},
  ];
}

/** LoRA first, whatever the order of the file: so it has its usual colour. */
function byMethod(a: Setting, b: Setting): number {
  return methodNames.indexOf(a.method) - methodNames.indexOf(b.method);
}

type Fields = Record<string, unknown>;
interface NamedRow {
  fields: Fields;
  /** E.g. `rows[3]`. */
  place: string;
}

function tablesOf(document: unknown): {rows: NamedRow[]; aggregates: NamedRow[]} {
  const tables = Array.isArray(document) ? {rows: document} : document;
  if (!isRecord(tables)) throw bad('it is neither a list of rows nor an object with "rows"');
  const [rows, aggregates] = ['rows', 'aggregate_rows'].map(key => {
    const table: unknown = tables[key] ?? [];
    if (!Array.isArray(table)) throw bad(`"${key}" is not a list`);
    return table.map((fields: unknown, k): NamedRow => {
      const place = `${key}[${k}]`;
      if (!isRecord(fields)) throw bad(`${place} is not an object`);
      return {fields, place};
    });
  });
  if (!rows || !aggregates || rows.length + aggregates.length === 0) {
    throw bad('it has no rows; give a list of them, or an object with "rows" or "aggregate_rows"');
  }
  return {rows, aggregates};
}

function settingOf(fields: Fields, place: string): Setting {
  const metric = text(fields, place, 'metric');
  return {
    model: fields['model'] === undefined ? '' : text(fields, place, 'model'),
    method: methodOf(text(fields, place, 'method'), place),
    rank: number(fields, place, 'rank'),
    batchSize: number(fields, place, 'batch', 'batch_size'),
    learningRate: number(fields, place, 'lr', 'learning_rate'),
    task: fields['task'] === undefined ? metric : text(fields, place, 'task'),
    metric,
  };
}

function seedValueOf(fields: Fields, place: string): {seed: number; value: number; alpha: number | undefined} {
  return {
    seed: number(fields, place, 'seed'),
    value: number(fields, place, 'value'),
    alpha: fields['alpha'] === undefined ? undefined : number(fields, place, 'alpha'),
  };
}

function meanOf(fields: Fields, place: string): Pick<Aggregated, 'mean' | 'std' | 'seeds'> {
  const isKnown = fields['std'] !== undefined && fields['std'] !== null;
  return {
    mean: number(fields, place, 'mean'),
    std: isKnown ? number(fields, place, 'std') : null,
    seeds: seedsIn(fields, place),
  };
}

function seedsIn(fields: Fields, place: string): number {
  const seeds = number(fields, place, 'n_seeds', 'seeds');
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > mostSeeds) throw bad(`${place} has ${seeds} seeds`);
  return seeds;
}

/** `PiSSA`, `Init[AB]`, `InitAB` and `init_ab` are the names that papers and programs use. */
function methodOf(name: string, place: string): MethodName {
  const plain = (one: string): string => one.toLowerCase().replace(/[^a-z0-9]/g, '');
  const known = methodNames.find(method => plain(method) === plain(name));
  if (known) return known;
  const {elsewhere} = methodMeant(name);
  throw bad(`${place} has the method ${name}; ${elsewhere ?? `known are ${methodNames.join(', ')}`}`);
}

function text(fields: Fields, place: string, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') throw bad(`${place} has no text "${key}"`);
  return value;
}

function number(fields: Fields, place: string, ...keys: string[]): number {
  const value = keys.map(key => fields[key]).find(one => one !== undefined);
  if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(`${place} has no number "${keys[0]}"`);
  return value;
}

function bad(what: string): SweepError {
  return new SweepError('bad-results', `These results cannot be imported: ${what}.`, {});
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
