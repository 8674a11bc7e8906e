/** Which keys tell the trials of several runs apart, and what each trial has of them. */

import type {MethodDescription} from '../../method/method.ts';
import type {MethodName} from '../../method/methods.ts';
import {methods} from '../../method/methods.ts';
import {axisTitle, isAxisKey} from '../../sweep/axes/axes.ts';
import {inAxisOrder, type Settings} from '../../sweep/axes/keys.ts';
import {textOf} from '../../sweep/axes/values.ts';
import {nameOf, type StoredTrial} from '../../sweep/sweep.ts';
import {defaultOf} from '../../sweep/table/default-of.ts';
import type {Aggregate, Curvature} from '../fold.ts';
import {differingKeys, jsonText, type Made, modelOf, probesOf, valuesOf} from './made.ts';
import {isTold} from './names.ts';
import type {Part} from './part.ts';

export interface Placing {
  /** What all trials have in common. */
  fixed: Settings;
  remarks: string[];
  trial(trial: StoredTrial, part: number): StoredTrial;
  /** Everything that a trial was made with, by content. */
  key(trial: StoredTrial, part: number): string;
  aggregate(one: Aggregate, part: number): Aggregate;
  /** A row of a trial that another part stands for keeps its place without the trial. */
  probe(row: Curvature, part: number, ids: ReadonlyMap<string, string>): Curvature;
}

/** A trial of a part with its values. */
interface Placed {
  trial: StoredTrial;
  part: number;
  values: Map<string, Made>;
}

const modelKey = 'model';
const alphaKey = 'alpha';

/** The method's description; of other tools' methods there is none. */
const describedBy = ({method}: StoredTrial): Pick<MethodDescription, 'alphaPower' | 'weights' | 'withoutAlpha'> =>
  methods[method as MethodName] ?? {};

/** All values of a trial, the model and alpha (without what its method makes of it) among them. */
function allValues(trial: StoredTrial, {state}: Part): Map<string, Made> {
  const values = valuesOf(trial, state);
  const model = modelOf(trial, state);
  const {alphaPower: power = 0, weights, withoutAlpha} = describedBy(trial);
  const alpha = String(Number((trial.alpha / trial.rank ** power).toPrecision(6)));
  return new Map([
    ...(model ? [[modelKey, model] as const] : []),
    ...values,
    // What alpha has no part in stands beside any.
    ...(weights || withoutAlpha ? [] : [[alphaKey, {identity: alpha, label: alpha}] as const]),
  ]);
}

export function placingOf(parts: readonly Part[]): Placing {
  const all = parts.flatMap((one, part) =>
    one.state.trials.map(({trial}): Placed => ({trial, part, values: allValues(trial, one)})),
  );
  const keys = inAxisOrder(all.flatMap(({values}) => [...values.keys()]));
  // What a version did not note yet, or what is not given, is as it is without.
  for (const {values, part} of all)
    if (isTold(parts[part]!.state))
      for (const key of keys) if (key !== alphaKey && !values.has(key)) values.set(key, unsaid(key));
  const several = severalIn(all, keys);
  const labels = labelsOf(all, parts);
  const known = new Map(all.map(({trial, part, values}) => [`${part} ${trial.id}`, values]));
  const valuesIn = (trial: StoredTrial, part: number) =>
    known.get(`${part} ${trial.id}`) ?? allValues(trial, parts[part]!);
  const fixed = Object.fromEntries(
    keys
      .filter(key => key !== alphaKey && !several.includes(key))
      .flatMap(key => {
        const made = all.find(({trial, values}) => values.has(key) && !trial.own?.includes(key))?.values.get(key);
        return made ? [[key, labels(key, made)]] : [];
      }),
  );
  const place = (trial: StoredTrial, part: number) => placeOf(trial, valuesIn(trial, part), several, labels);
  const probes = probesTold(parts);
  return {
    fixed,
    remarks: silentInWords(all, several, parts),
    trial: (trial, part) => ({...trial, ...place(trial, part)}),
    key: (trial, part) => {
      const texts = [...valuesIn(trial, part)].map(([key, {identity}]) => [key, identity]).sort();
      return JSON.stringify([isTold(parts[part]!.state) ? '' : part, texts]);
    },
    aggregate: (one, part) => ({...one, ...place({...one, id: '', alpha: one.rank, seed: 0}, part)}),
    probe(row, part, ids) {
      const {state} = parts[part]!;
      const own = state.trials.filter(({trial}) =>
        row.trial === undefined ? isOf(row, trial) : row.trial === trial.id,
      );
      const places = own.map(({trial}) => place(trial, part));
      const settings = {...common(places.map(one => one.settings ?? {})), ...row.settings, ...probes[part]};
      const models = new Set(places.map(({model}) => model));
      const [model] = models.size === 1 ? models : [row.model];
      const {trial, ...rest} = row;
      const id = trial === undefined ? undefined : ids.get(trial);
      return {
        ...rest,
        ...(id !== undefined && {trial: id}),
        ...(model !== undefined && {model}),
        ...(Object.keys(settings).length > 0 && {settings}),
      };
    },
  };
}

function unsaid(key: string): Made {
  const value = defaultOf(key);
  const text = value === undefined ? 'none' : isAxisKey(key) ? textOf(value) : jsonText(value);
  return {identity: text, label: text};
}

function isOf({method, rank, batchSize, seed}: Curvature, trial: StoredTrial): boolean {
  return trial.method === method && trial.rank === rank && trial.batchSize === batchSize && trial.seed === seed;
}

/** What all of several have alike. */
function common(settings: readonly Settings[]): Settings {
  const [first = {}, ...others] = settings;
  return Object.fromEntries(Object.entries(first).filter(([key, text]) => others.every(one => one[key] === text)));
}

/** Keys of which there are several values, but for those that variants give themselves. */
function severalIn(all: readonly Placed[], keys: readonly string[]): string[] {
  return keys.filter(key => {
    if (key === alphaKey) return hasSeveralAlphas(all);
    const open = all.filter(({trial}) => !trial.own?.includes(key));
    const found = open.flatMap(({values}) => values.get(key) ?? []);
    return new Set(found.map(({identity}) => identity)).size > 1;
  });
}

/** Of one method at one rank. */
function hasSeveralAlphas(all: readonly Placed[]): boolean {
  const found = new Map<string, string>();
  return all.some(({trial, values}) => {
    const key = `${nameOf(trial)} ${trial.rank}`;
    const {identity} = values.get(alphaKey) ?? {};
    if (identity === undefined) return false;
    const before = found.get(key) ?? identity;
    found.set(key, before);
    return before !== identity;
  });
}

type Labels = (key: string, made: Made) => string;

/** A label for each value, the first that it has; where two values share one, the later one names its run. */
function labelsOf(all: readonly Placed[], parts: readonly Part[]): Labels {
  const labels = new Map<string, string>();
  const taken = new Set<string>();
  for (const {values, part} of all)
    for (const [key, {identity, label}] of values) {
      const name = `${key} ${identity}`;
      if (labels.has(name)) continue;
      const free = taken.has(`${key} ${label}`) ? `${label} (${parts[part]!.name})` : label;
      labels.set(name, free);
      taken.add(`${key} ${free}`);
    }
  return (key, {identity, label}) => labels.get(`${key} ${identity}`) ?? label;
}

function placeOf(
  {settings: before = {}, own = [], model: _}: StoredTrial,
  values: ReadonlyMap<string, Made>,
  several: readonly string[],
  labels: Labels,
): Pick<StoredTrial, 'model' | 'settings' | 'own'> {
  const texts = several
    .filter(key => key !== modelKey)
    .flatMap(key => {
      const made = values.get(key);
      return made ? [[key, labels(key, made)] as const] : [];
    });
  const kept = Object.entries(before).filter(([key]) => own.includes(key) && !several.includes(key));
  const settings = Object.fromEntries([...kept, ...texts]);
  const model = values.get(modelKey);
  const open = [...new Set([...own, ...several.filter(key => !values.has(key))])];
  return {
    ...(several.includes(modelKey) && model ? {model: labels(modelKey, model)} : {}),
    ...(Object.keys(settings).length > 0 ? {settings} : {}),
    ...(open.length > 0 && {own: open}),
  } as Pick<StoredTrial, 'model' | 'settings' | 'own'>;
}

/** Curvature that was probed in another way stands apart. */
function probesTold(parts: readonly Part[]): Settings[] {
  const tables = parts.map(({state}) => (state.curvature.length > 0 ? probesOf(state) : new Map<string, string>()));
  const [first] = tables.filter(table => table.size > 0);
  const keys = new Set(
    tables.flatMap(table => (first && table.size > 0 ? differingKeys(first, table, key => key) : [])),
  );
  return tables.map(table =>
    Object.fromEntries([...keys].flatMap(key => (table.has(key) ? [[key, table.get(key)!]] : []))),
  );
}

/** Keys that differ and that a part says nothing of: its results stand beside whatever the others have. */
function silentInWords(all: readonly Placed[], several: readonly string[], parts: readonly Part[]): string[] {
  return parts.flatMap(({name}, part) => {
    const own = all.filter(one => one.part === part);
    const keys = several.filter(key => key !== alphaKey && own.length > 0 && own.every(({values}) => !values.has(key)));
    if (keys.length === 0 || isTold(parts[part]!.state)) return [];
    return [
      `${name} does not say its ${keys.map(axisTitle).join(', ')}: it stands beside whatever the others have there.`,
    ];
  });
}
