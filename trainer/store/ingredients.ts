/**
 * What a run's numbers depend on, as a table of named ingredients. Everything of a sweep is one, but for what is listed here
 * as harmless and what a trial carries itself; a key that comes to the sweep language later is one from its first day.
 */
import {createHash} from 'node:crypto';
import {formatEvaluation} from '../../core/run/format.ts';
import {nameOf as nameOfMethod, type Sweep} from '../../core/sweep/sweep.ts';
import {defaultOf} from '../../core/sweep/table/default-of.ts';

/** Key as in the sweep file, or a file of the model or of a scorer → value; files and data stand by their SHA-256. */
export type Ingredients = Record<string, unknown>;

/** What the files behind a sweep are, by their hashes. */
export interface Hashes {
  /** Of the model's weights. */
  model: string;
  /** Of its other files, by name. Runs of early versions did not note them. */
  modelFiles: Record<string, string> | undefined;
  /** Where the sweep has several models: the same of each, by its path as written. */
  models?: Record<string, {hash: string; files: Record<string, string>}>;
  /** Of data files, scorers and starting adapters, by path as written. */
  files: Record<string, string>;
  /** Of what a scorer is made of beside its own file: path of the scorer as written → file beside it → hash. */
  modules: Record<string, Record<string, string>>;
  /** As it was taken, not as asked for: `auto` may mean the one today and the other tomorrow. */
  precision: string;
}

/**
 * Keys whose value moves no number of a trial, or the last digits only: names and places (`model` and data stand by their content),
 * what computes, and in which parts, which trials are trained, and what is said of the numbers.
 */
const harmless: ReadonlySet<string> = new Set([
  'name',
  'run',
  'search',
  'verdict',
  'tune',
  'objective',
  'training.micro_batch',
  'training.checkpoint',
]);
/** Settings of a method that each of its trials carries itself. */
const ofTrials: ReadonlySet<string> = new Set([
  ...['method', 'name', 'learning_rates', 'ranks', 'batch_sizes', 'seeds', 'order'],
  ...['alpha', 'alphas', 'axes', 'settings', 'own'],
]);
/** Stands for a setting of which the sweep has several values: each trial carries its own. */
export const byTrial = 'by trial';
/** Points of the training at which the curvature is probed: more of them touch nothing that is there. */
const addable: ReadonlySet<string> = new Set(['curvature.at']);

/** Between a scorer and a file that it needs. */
const needs = ' needs ';

export function ingredientsOf(sweep: Sweep, hashes: Hashes): Ingredients {
  const {model, modelFiles = {}, models = {}, files, modules, precision} = hashes;
  const {model: _, axes, data, training, methods, evaluate, curvature, ...others} = sweep;
  const {epochs, steps, precision: __, ...learning} = training;
  const hashOf = (path: string): string => files[path] ?? path;
  const table: Ingredients = {
    model,
    ...Object.fromEntries(Object.entries(modelFiles).map(([name, hash]) => [`model/${name}`, hash])),
    ...Object.assign({}, ...Object.entries(models).map(ofModel)),
    ...(axes?.data ? {} : readingOf('data', data, hashOf)),
    ...flat('training.', learning),
    'training.length': steps === undefined ? {epochs} : {steps},
    'training.precision': precision,
    ...flat('', others),
    ...(axes?.data ? {} : evaluationsOf('', evaluate, {hashOf, modules})),
  };
  for (const {text, value} of axes?.data ?? []) {
    const set = value as Pick<Sweep, 'data' | 'evaluate'>;
    const section = `data[${text}]`;
    table[section] = true;
    Object.assign(table, readingOf(section, set.data, hashOf));
    Object.assign(table, evaluationsOf(`${section}.`, set.evaluate, {hashOf, modules}));
  }
  // A name must go on to mean the modules that it meant.
  for (const {text, value} of axes?.targets ?? [])
    table[`targets[${text}]`] = Array.isArray(value) ? [...value].sort() : value;
  for (const {options, startFrom, ...settings} of methods) {
    const section = `methods.${nameOfMethod(settings)}`;
    table[section] = true;
    Object.assign(table, flat(`${section}.`, {...settings, ...options}, ofTrials));
    if (startFrom !== undefined) table[`${section}.start_from`] = hashOf(startFrom);
  }
  if (curvature) {
    table['curvature'] = true;
    Object.assign(table, flat('curvature.', {...curvature, data: hashOf(curvature.data ?? 'data.train')}));
  }
  for (const key of severalIn(sweep)) {
    const own = Object.keys(table).filter(name => name === key || (key !== 'targets' && name.startsWith(`${key}.`)));
    for (const name of own.length > 0 ? own : [key]) table[name] = byTrial;
    if (key === 'model') for (const name of Object.keys(modelFiles)) delete table[`model/${name}`];
  }
  return Object.fromEntries(Object.entries(table).filter(([key]) => !harmless.has(key) && !addable.has(key)));
}

type HashOf = (path: string) => string;

/** Rows, and how they are read. */
function readingOf(section: string, {train, ...reading}: Sweep['data'], hashOf: HashOf): Ingredients {
  const files = train.map((path, k) => [`${section}.train${train.length > 1 ? `[${k}]` : ''}`, hashOf(path)]);
  return {...Object.fromEntries(files), ...flat(`${section}.`, reading)};
}

function evaluationsOf(
  section: string,
  evaluate: Sweep['evaluate'],
  {hashOf, modules}: {hashOf: HashOf; modules: Hashes['modules']},
): Ingredients {
  const table: Ingredients = {[`${section}evaluate`]: evaluate.map(({task}) => task)};
  for (const [k, {data: rows, scorer, ...settings}] of evaluate.entries()) {
    const key = `${section}evaluate[${k}]`;
    Object.assign(table, {[`${key}.data`]: hashOf(rows)}, flat(`${key}.`, settings));
    if (scorer === undefined) continue;
    table[`${key}.scorer`] = hashOf(scorer);
    for (const [name, hash] of Object.entries(modules[scorer] ?? {})) table[`${key}.scorer${needs}${name}`] = hash;
  }
  return table;
}

/** One of several models. */
function ofModel([path, {hash, files}]: [string, {hash: string; files: Record<string, string>}]): Ingredients {
  const section = `model[${path}]`;
  const own = Object.entries(files).map(([name, one]) => [`${section}/${name}`, one]);
  return {[section]: hash, ...Object.fromEntries(own)};
}

/** Keys of which the trials of a sweep carry their own values. */
function severalIn({methods}: Sweep): Set<string> {
  const keys = methods.flatMap(({axes}) => Object.keys(axes ?? {})).filter(key => key !== 'alpha' && key !== 'data');
  return new Set(keys.map(key => (/^training\.(epochs|steps)$/.test(key) ? 'training.length' : key)));
}

/** Settings by their keys in the sweep file. Those of the optimizer have keys of their own, all others are values. */
function flat(prefix: string, settings: object, without: ReadonlySet<string> = new Set()): Ingredients {
  const table: Ingredients = {};
  for (const [name, value] of Object.entries(settings)) {
    const key = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
    if (value === undefined || without.has(key)) continue;
    if (`${prefix}${key}` === 'training.optimizer') Object.assign(table, flat(`${prefix}${key}.`, value));
    else table[`${prefix}${key}`] = sorted(value);
  }
  return table;
}

/** The same value whatever the order of its keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}

/** SHA-256 over the whole table. */
export function fingerprint(table: Ingredients): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(table)))
    .digest('hex');
}

/** Settings that came later, where what was done before is not their default: the method, the setting, what it was. */
const doneBefore = [['methods.lora-ga', 'methods.lora-ga.variant', 'peft']] as const;

/** The table of an earlier version with what it did without saying so. */
export function asDone(table: Ingredients): Ingredients {
  const unsaid = doneBefore.filter(([method, key]) => method in table && !(key in table));
  return {...table, ...Object.fromEntries(unsaid.map(([, key, value]) => [key, value]))};
}

export interface Change {
  key: string;
  before: unknown;
  after: unknown;
}

/**
 * What differs between two tables, as far as results depend on it. A key that one of them does not have counts as its
 * default. A method or a probe that is new, or no longer asked for, touches nothing that is there.
 */
export function changesBetween(earlier: Ingredients, now: Ingredients): Change[] {
  return keysInBoth(earlier, now).flatMap(key => {
    if (isRedone(key)) return [];
    const [before, after] = [earlier[key], now[key]];
    return isSame(key, before, after) ? [] : [{key, before, after}];
  });
}

/** Evaluations are made anew with another limit, and found again under another name. */
const isRedone = (key: string): boolean => /^evaluate\[\d+\]\.(limit|entry)$/.test(key);

/** An evaluation of the file whose earlier results go by another name, or (`to` null) are of another question. */
export interface EvaluationChange {
  /** Its place in the file's list. */
  index: number;
  from: string;
  to: string | null;
}

export function evaluationChanges(earlier: Ingredients, now: Ingredients): EvaluationChange[] {
  const found: EvaluationChange[] = [];
  const nameIn = (table: Ingredients, key: string): string =>
    formatEvaluation(String(table[`${key}.task`]), table[`${key}.entry`] as string | undefined);
  for (let index = 0; `evaluate[${index}].data` in earlier && `evaluate[${index}].data` in now; index++) {
    const key = `evaluate[${index}]`;
    const [from, to] = [nameIn(earlier, key), nameIn(now, key)];
    if (earlier[`${key}.limit`] !== now[`${key}.limit`]) found.push({index, from, to: null});
    else if (from !== to) found.push({index, from, to});
  }
  return found;
}

/** Keys that have a default at all times, and that the version of the earlier table did not know yet. */
export function newerKeys(earlier: Ingredients, now: Ingredients): string[] {
  return keysInBoth(earlier, now).filter(
    key =>
      !(key in earlier) &&
      now[key] !== byTrial &&
      /^(data|training|methods)\./.test(key) &&
      isSame(key, undefined, now[key]),
  );
}

/** Keys of either, but for those of a method or a probe that only one of them has. */
function keysInBoth(earlier: Ingredients, now: Ingredients): string[] {
  // The files of one of several models stand with it.
  const isOne = earlier['model'] !== byTrial && now['model'] !== byTrial;
  const keys = [...new Set([...Object.keys(earlier), ...Object.keys(now)])];
  const isThere = (section: string): boolean => `${section}.data` in earlier && `${section}.data` in now;
  return keys.filter(key => {
    // Results of further evaluations stand beside the others.
    const [evaluation] = /^(data\[[^\]]+\]\.)?evaluate\[\d+\]/.exec(key) ?? [];
    if (evaluation !== undefined && !isThere(evaluation)) return false;
    const [section] = /^(methods\.[^.]+|curvature|model\[.*\]|targets\[.*\]|data\[[^\]]+\])(?=[./]|$)/.exec(key) ?? [];
    if (!isOne && key.startsWith('model/')) return false;
    return section === undefined || (section in earlier && section in now);
  });
}

function isSame(key: string, before: unknown, after: unknown): boolean {
  if (before === byTrial || after === byTrial) return true;
  if (/(^|\.)evaluate$/.test(key)) return isBeginning(before, after);
  const [a, b] = [before ?? defaultOf(key), after ?? defaultOf(key)].map(value =>
    JSON.stringify(sorted(value ?? null)),
  );
  // A lone value stands for a list of one, as in the file.
  return a === b || a === `[${b}]` || `[${a}]` === b;
}

/** Whether the later list is the earlier one, perhaps with more behind it. */
function isBeginning(before: unknown, after: unknown): boolean {
  const [a, b] = [before ?? [], after ?? []].map(list => (Array.isArray(list) ? list : [list]));
  return a!.every((one, k) => JSON.stringify(one) === JSON.stringify(b![k]));
}

/** Whether the key is one that runs of earlier versions did not note. */
export function isNeeded(key: string): boolean {
  return key.includes(needs);
}

/** `training.schedule changed from "cosine" to "linear"`; of a file that its content is another one. */
export function changeInWords({key, before, after}: Change, sweep: Sweep): string {
  const name = nameOf(key, sweep);
  if (isHash(before) && isHash(after)) return `the content of ${name} changed`;
  if (isHash(before) && after === undefined) return `${name} is gone`;
  if (before === undefined && isHash(after)) return `${name} is new`;
  const [from, to] = [before, after].map(value =>
    isHash(value) ? 'a file' : value === undefined ? 'nothing' : JSON.stringify(value),
  );
  return `${name} changed${`${from}${to}`.length > 160 ? '' : ` from ${from} to ${to}`}`;
}

export const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** With the file's name beside the key, where a key is about one. */
function nameOf(key: string, sweep: Sweep): string {
  const {model, evaluate} = sweep;
  if (key === 'model') return `model (the weights of ${model})`;
  const [, several, file] = /^model\[(.*)\](?:\/(.+))?$/.exec(key) ?? [];
  if (several !== undefined)
    return file === undefined ? `the weights of ${several}` : `${file} of the model ${several}`;
  if (key.startsWith('model/')) return `${key.slice('model/'.length)} of the model ${model}`;
  const [, index] = /^\w+(?:\.train)?\[(\d+)\]/.exec(key) ?? [];
  const evaluation = evaluate[Number(index ?? -1)];
  if (key.endsWith('].entry'))
    return `the name of ${key.replace('.entry', '')} in results (its file's, where several have its task)`;
  if (key.includes(needs))
    return `${key.slice(key.indexOf(needs) + needs.length)}, which the scorer ${evaluation?.scorer} needs,`;
  const path = pathOf(key, sweep);
  return path === undefined ? key : `${key} (${path})`;
}

/** The file that a key is about, as the sweep file writes it. */
function pathOf(key: string, {data, evaluate, curvature, methods}: Sweep): string | undefined {
  const [, index] = /^\w+(?:\.train)?\[(\d+)\]/.exec(key) ?? [];
  const evaluation = evaluate[Number(index ?? -1)];
  return key.startsWith('data.train')
    ? data.train[Number(index ?? 0)]
    : key.endsWith('].data')
      ? evaluation?.data
      : key.endsWith('].scorer')
        ? evaluation?.scorer
        : key === 'curvature.data'
          ? curvature?.data
          : key.endsWith('.start_from')
            ? methods.find(one => key === `methods.${nameOfMethod(one)}.start_from`)?.startFrom
            : undefined;
}

/** A key that says that a method, a probe or a data set is there. */
const isSection = (key: string): boolean => /^(curvature|methods\.[^.]+|data\[[^\]]+\])$/.test(key);

/** The table as texts for a run's events, its files by the beginning of their hashes. */
export function asTexts(table: Ingredients, sweep: Sweep): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table)
      .filter(([key, value]) => value !== byTrial && !(value === true && isSection(key)))
      .map(([key, value]) => {
        if (!isHash(value)) return [key, typeof value === 'string' ? value : JSON.stringify(value)];
        const path = key === 'model' ? sweep.model : pathOf(key, sweep);
        return [key, [`sha256:${String(value).slice(0, 16)}`, ...(path === undefined ? [] : [path])].join(' ')];
      }),
  );
}
