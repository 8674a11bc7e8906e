/** What the trials of a run were made with, as texts that two runs can be compared by. */

import {type AxisKey, axisKeys, type Settings} from '../../sweep/axes/keys.ts';
import {textOf} from '../../sweep/axes/values.ts';
import type {OptimizerSettings, StoredTrial} from '../../sweep/sweep.ts';
import {defaultOf} from '../../sweep/table/default-of.ts';
import type {RunState} from '../fold.ts';
import {formatEvaluation} from '../format.ts';

/** One thing that results depend on: `identity` says whether it is the same, `label` what people call it. */
export interface Made {
  identity: string;
  label: string;
}

type Told = Pick<RunState, 'made' | 'fixed'>;

/** A file goes by its content: `sha256:3fa4… train.jsonl`. */
const file = /^sha256:([0-9a-f]+) ?(.*)$/;

function madeOf(text: string): Made {
  const [, hash, path] = file.exec(text) ?? [];
  return hash === undefined ? {identity: text, label: text} : {identity: hash, label: path || hash.slice(0, 8)};
}

/** What a key is as text, where a table has it as JSON. */
function plainText(json: string): string {
  try {
    return textOf(JSON.parse(json));
  } catch {
    return json;
  }
}

/** The values of a trial by key, of axes and of everything else but the model; a key that nothing is known of is absent. */
export function valuesOf(trial: StoredTrial, {made, fixed}: Told): Map<string, Made> {
  const values = new Map<string, Made>();
  for (const [key, text] of Object.entries(made ?? {})) if (!isElsewhere(key)) values.set(key, madeOf(text));
  if (made) values.set('data', dataOf(trial.settings?.['data'], made));
  for (const key of axisKeys) {
    if (key === 'model' || key === 'alpha' || (key === 'data' && made)) continue;
    const text = axisText(key, trial, {made, fixed});
    if (text !== undefined) values.set(key, axisMade(key, text, made));
  }
  return values;
}

/** The rows of a trial and how they are read, by content; `set`: the name of one of several. */
function dataOf(set: string | undefined, made: Settings): Made {
  const section = set === undefined ? 'data.' : `data[${set}].`;
  const own = Object.entries(made).flatMap(([key, text]): [string, Made][] =>
    key.startsWith(section) ? [[`data.${key.slice(section.length)}`, madeOf(text)]] : [],
  );
  const told = own.filter(([key, {identity}]) => !isElsewhere(key, false) && identity !== jsonText(defaultOf(key)));
  const files = own.filter(([key]) => /^data\.train(\[|$)/.test(key)).map(([, {label}]) => label);
  return {
    identity: JSON.stringify(told.map(([key, {identity}]) => [key, identity]).sort()),
    label: set ?? files.join('+'),
  };
}

/** As a table has it that a run tells. */
export const jsonText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** Keys that no trial is told apart by: those of evaluations, probes and methods have names of their own, the model and the data are one thing each. */
function isElsewhere(key: string, isDataToo = true): boolean {
  return (
    (isDataToo && key.startsWith('data.')) ||
    /(^|\.)evaluate(\[|$)/.test(key) ||
    /^(model|targets|methods|curvature|data)(\[|\/|$)/.test(key) ||
    /^(methods|curvature|training\.optimizer|training\.length)(\.|$)/.test(key) ||
    (axisKeys as readonly string[]).includes(key)
  );
}

function axisText(key: AxisKey, {settings = {}}: StoredTrial, {made, fixed}: Told): string | undefined {
  const own = settings[key];
  if (own !== undefined) return own;
  // What all of a run's sets have in common is said of the first one alone.
  const set = settings['data'];
  if (set !== undefined && key.startsWith('data.') && made) {
    const text = made[`data[${set}].${key.slice(5)}`];
    return text === undefined ? (key === 'data.rows' ? 'all' : fixed[key]) : plainText(text);
  }
  // What numbers were computed in: a file's `auto` does not say it.
  const isResolved = key === 'training.precision' && made?.[key] !== undefined;
  return (isResolved ? undefined : fixed[key]) ?? (made ? noted(key, made) : undefined);
}

/** Of a run that says nothing of axes: what it noted of the key. */
function noted(key: AxisKey, made: Settings): string | undefined {
  if (key === 'data' || key === 'targets') return made[key];
  if (key === 'training.optimizer') {
    const part = (name: string): unknown => parsed(made[`training.optimizer.${name}`]);
    const [name, betas, eps, momentum] = ['name', 'betas', 'eps', 'momentum'].map(part);
    return textOf({name, betas, eps, momentum} as OptimizerSettings);
  }
  const [, length] = /^training\.(epochs|steps)$/.exec(key) ?? [];
  if (length !== undefined) {
    const told = parsed(made['training.length']) as Record<string, unknown> | undefined;
    return String(told?.[length] ?? (length === 'epochs' ? defaultOf(key) : 'none'));
  }
  const text = made[key];
  if (text !== undefined) return plainText(text);
  return key === 'data.rows' ? 'all' : String(defaultOf(key) ?? 'none');
}

function parsed(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return json;
  }
}

/** Targets are the modules that they mean, in any order and by any name. */
function axisMade(key: AxisKey, text: string, made: Told['made']): Made {
  if (key !== 'targets') return {identity: text, label: text};
  const meant = parsed(made?.[`targets[${text}]`]);
  const modules = Array.isArray(meant) ? meant.map(String) : text.split('+');
  return {identity: modules.sort().join('+'), label: text};
}

/** The base model of a trial, by its weights and files where they are known. */
export function modelOf({model}: StoredTrial, {made, fixed}: Told): Made | undefined {
  const path = model ?? fixed['model'] ?? '';
  const several = made?.[`model[${path}]`];
  const own = several ?? made?.['model'];
  if (!made || own === undefined) return path === '' ? undefined : {identity: path, label: path};
  const section = several === undefined ? 'model/' : `model[${path}]/`;
  const files = Object.entries(made)
    .filter(([key]) => key.startsWith(section))
    .map(([key, text]) => `${key.slice(section.length)}=${madeOf(text).identity}`);
  const weights = madeOf(own);
  return {identity: [weights.identity, ...files.sort()].join(' '), label: path || weights.label};
}

/** What belongs to each evaluation by its name: everything that its results depend on, but not when they are made. */
export function evaluationsOf({made}: Told): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const [key, text] of Object.entries(made ?? {})) {
    const [, section, name] = /^((?:data\[[^\]]*\]\.)?evaluate\[\d+\])\.(.+)$/.exec(key) ?? [];
    if (section === undefined || name === undefined) continue;
    const group = groups.get(section) ?? new Map<string, string>();
    groups.set(section, group.set(name, madeOf(text).identity));
  }
  const named = [...groups].map(([section, group]) => {
    const [task = '', entry] = [group.get('task'), group.get('entry')];
    const others = [...group].filter(([key]) => !['task', 'entry', 'every'].includes(key));
    const [set = ''] = /^data\[[^\]]*\]/.exec(section) ?? [];
    return [`${set}${formatEvaluation(task, entry)}`, new Map(others)] as const;
  });
  return new Map(named);
}

/** What belongs to each method by its name. */
export function methodsOf({made}: Told): Map<string, Map<string, string>> {
  const methods = new Map<string, Map<string, string>>();
  for (const [key, text] of Object.entries(made ?? {})) {
    const [, name, option] = /^methods\.(.+)\.([a-z_]+)$/.exec(key) ?? [];
    if (name === undefined || option === undefined) continue;
    const own = methods.get(name) ?? new Map<string, string>();
    methods.set(name, own.set(option, madeOf(text).identity));
  }
  return methods;
}

/** Of curvature. */
export function probesOf({made}: Told): Map<string, string> {
  const own = Object.entries(made ?? {}).filter(([key]) => key.startsWith('curvature.'));
  return new Map(own.map(([key, text]) => [key, madeOf(text).identity]));
}

/** Keys in which two tables differ; one that a table does not have counts as its default. */
export function differingKeys(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
  keyOf: (key: string) => string,
): string[] {
  const textIn = (table: ReadonlyMap<string, string>, key: string): string =>
    table.get(key) ?? jsonText(defaultOf(keyOf(key)));
  return [...new Set([...a.keys(), ...b.keys()])].filter(key => textIn(a, key) !== textIn(b, key));
}
