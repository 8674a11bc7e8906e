/** `manifest.json`: what a run was made with, and whether a resumed one may go on from it. */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {availableParallelism, cpus, totalmem} from 'node:os';
import {basename, dirname, isAbsolute, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';
import {
  fileName,
  isRecord,
  text as isText,
  listOf,
  number,
  optional,
  orNull,
  record,
  recordOf,
} from '../../core/shape.ts';
import {type CurvatureSettings, nameOf, type Sweep} from '../../core/sweep/sweep.ts';
import {readText} from '../files/door.ts';
import {storeError, writeWhole} from '../files/write-whole.ts';
import {
  asDone,
  asTexts,
  byTrial,
  type Change,
  changeInWords,
  changesBetween,
  type EvaluationChange,
  evaluationChanges,
  fingerprint,
  type Ingredients,
  ingredientsOf,
  isNeeded,
  newerKeys,
} from './ingredients.ts';

/** What the run is made with, as far as the sweep file does not say it. */
export interface Surroundings {
  /** Program or library → version. */
  versions: Record<string, string>;
  engine: string;
  /** Of the frozen weights and their products, as the engine takes it; default float32. */
  precision?: 'float32' | 'bfloat16';
  /** Where trials differ by precision: both of each, by what is asked for. */
  further?: Record<string, {engine: string; precision: 'float32' | 'bfloat16'}>;
  /** SHA-256 (or another hash of the content) of the model's weights. */
  modelHash: string;
  /** Where the model was found, the commit of the hub it is, and the hashes of its other files by name. */
  model: {folder: string; revision: string | null; files: Record<string, string>};
  /** Where the sweep has several models: each by its path as written. */
  models?: Record<string, StoredModel>;
  /** The same of every data file and starting adapter, by its path as the sweep file writes it. */
  dataHashes: Record<string, string>;
  /** By scorer, as the sweep file writes its path: the files beside it that it needs, with their hashes. */
  modules?: Record<string, Record<string, string>>;
}

/** A model, where it was found. */
export interface StoredModel {
  hash: string;
  folder: string;
  revision: string | null;
  files: Record<string, string>;
}

export interface Start {
  /** ISO 8601. */
  at: string;
  /** The copy of the sweep file that this start followed, and its SHA-256; earlier versions did not note that. */
  sweepFile: string;
  sweepHash?: string;
  engine: string;
  /** Where trials differ by precision: of each, by what is asked for. */
  engines?: Record<string, string>;
  versions: Record<string, string>;
  machine: Machine;
}

export interface Machine {
  platform: string;
  architecture: string;
  processor: string;
  cores: number;
  memoryBytes: number;
}

export interface Manifest {
  name: string;
  versions: Record<string, string>;
  engine: string;
  machine: Machine;
  /** `path` as the sweep file writes it; `folder` and `file` are absolute. Runs of earlier versions have the first two only. */
  model: {path: string; hash: string; folder?: string; revision?: string | null; files?: Record<string, string>};
  /** Where the sweep has several: each by its path as written. */
  models?: Record<string, StoredModel>;
  data: {path: string; hash: string; file?: string}[];
  /** What earlier versions noted instead of `ingredients`. */
  settings?: Record<string, unknown>;
  /** All that results depend on beside the trial itself, and the hash over it; not in runs of earlier versions. */
  ingredients?: Ingredients;
  fingerprint?: string;
  /** The whole sweep after defaults, as the last start read it; like what follows, not in runs of earlier versions. */
  sweep?: Sweep;
  seeds?: number[];
  /** Null where nothing is probed. */
  curvature?: CurvatureSettings | null;
  /** How to make the run again. */
  rerun?: {folder: string; command: string; file?: string};
  /** One entry for the first start and one for every resumption. */
  starts: Start[];
}

/** As it is written now. */
export type FullManifest = Manifest &
  Required<Pick<Manifest, 'sweep' | 'seeds' | 'curvature' | 'rerun' | 'ingredients' | 'fingerprint'>>;

/** A sweep file and its copy in the run folder. */
export interface SweepCopy {
  /** Absolute. */
  original: string;
  /** Name in the run folder. */
  copy: string;
  text: string;
  /** Absent: `run FILE`. */
  again?: Again;
}

/** How a run is made again: `VERB FILE WORDS`. */
export interface Again {
  verb: string;
  words: string[];
}

/** The manifest of a first start. */
export function newManifest(sweep: Sweep, around: Surroundings, sweepFile: SweepCopy): FullManifest {
  const {versions, engine, modelHash, dataHashes, modules = {}, precision = 'float32'} = around;
  const {original, copy, text, again = {verb: 'run', words: []}} = sweepFile;
  const sweepHash = createHash('sha256').update(text).digest('hex');
  const engines = around.further && engineOfEach(around.further);
  const start = {
    ...{at: new Date().toISOString(), sweepFile: copy, sweepHash, engine, ...(engines && {engines})},
    ...{versions, machine: machine()},
  };
  const folder = dirname(original);
  const {models} = around;
  const hashes = {
    ...{model: modelHash, modelFiles: around.model.files, files: dataHashes, modules, precision},
    ...(models && {models}),
  };
  const ingredients = ingredientsOf(sweep, hashes);
  const needed = Object.entries(modules).flatMap(([scorer, files]) =>
    Object.entries(files).map(([name, hash]) => [isAbsolute(name) ? name : join(dirname(scorer), name), hash] as const),
  );
  return {
    name: sweep.name,
    versions,
    engine,
    machine: start.machine,
    model: {path: sweep.model, hash: modelHash, ...around.model},
    ...(models && {models}),
    data: [...Object.entries(dataHashes), ...needed].map(([path, hash]) => ({path, hash, file: resolve(folder, path)})),
    seeds: seedsOf(sweep),
    curvature: sweep.curvature ?? null,
    rerun: {
      folder,
      file: basename(original),
      command: ['lora-sweep', again.verb, quoted(basename(original)), ...again.words, '--out NEW_FOLDER'].join(' '),
    },
    sweep,
    ingredients,
    fingerprint: fingerprint(ingredients),
    starts: [start],
  };
}

function engineOfEach(further: NonNullable<Surroundings['further']>): NonNullable<Start['engines']> {
  return Object.fromEntries(Object.entries(further).map(([asked, {engine}]) => [asked, engine]));
}

/**
 * The manifest after one more start, and what a reader should know of how the two were compared.
 * @param others differences that the trials themselves have
 * @throws SweepError `not-comparable` naming what differs from what earlier results were made with, `bad-manifest`
 */
export function resumedManifest(
  earlier: Manifest,
  now: FullManifest,
  others: readonly Change[] = [],
): {manifest: FullManifest; notes: string[]; evaluations: EvaluationChange[]} {
  const before = asDone(tableOf(earlier));
  const {sweep, seeds, curvature, rerun, ingredients} = now;
  const found = changesBetween(before, ingredients);
  // What an earlier version did not note cannot be compared.
  const unknown = found.filter(({key}) => !(key in before) && isUnnoted(earlier, key));
  const own = found.filter(change => !unknown.includes(change));
  const keys = new Set(own.map(({key}) => key));
  const changes = [...own, ...changedModels(earlier, now), ...others.filter(({key}) => !keys.has(key))];
  if (changes.length > 0) throw notComparable(changes, sweep);
  const known = new Set(now.data.map(({path}) => path));
  const hashes = new Set(now.data.map(({hash}) => hash));
  const isAnew = (key: string) =>
    sweep.methods.some(one => key.startsWith(`methods.${nameOf(one)}.`)) || (curvature && key.startsWith('curvature.'));
  const kept = Object.entries(before).filter(([key]) => !isAnew(key));
  // What all trials had in common before stays known: those that name no value have that one.
  const fresh = Object.entries(ingredients).filter(([key, value]) => value !== byTrial || !(key in before));
  const all = {...Object.fromEntries(kept), ...Object.fromEntries(fresh)};
  const {settings: _, ...rest} = earlier;
  const manifest = {
    ...rest,
    model: now.model,
    ...(earlier.models || now.models ? {models: {...earlier.models, ...now.models}} : {}),
    // What lies elsewhere now, as it was, is looked for there.
    data: [...earlier.data.filter(({path, hash}) => !known.has(path) && !hashes.has(hash)), ...now.data],
    ...{sweep, seeds, curvature, rerun},
    ...{ingredients: all, fingerprint: fingerprint(all)},
    starts: [...earlier.starts, ...now.starts],
  };
  const evaluations = evaluationChanges(before, ingredients);
  const notes = [
    ...evaluations.map(evaluationInWords),
    ...notesOn(earlier, now, [...unknown.map(({key}) => key), ...newerKeys(before, ingredients)]),
  ];
  return {manifest, notes, evaluations};
}

function evaluationInWords({from, to}: EvaluationChange): string {
  return to === null
    ? `${from} is asked with another limit: earlier results of it count no longer, and are made anew of the stored adapters.`
    : `Earlier results of ${from} are those of ${to}, as the file calls it now.`;
}

/** A model that was the only one, or no longer is: its weights must be those that trials of it were trained on. */
function changedModels(earlier: Manifest, now: FullManifest): Change[] {
  const oneOf = ({model, models}: Manifest, path: string): Manifest['model'] | StoredModel | undefined =>
    models ? models[path] : model.path === path ? model : undefined;
  if (Boolean(earlier.models) === Boolean(now.models)) return [];
  const paths = [
    earlier.model.path,
    now.model.path,
    ...Object.keys(earlier.models ?? {}),
    ...Object.keys(now.models ?? {}),
  ];
  return [...new Set(paths)].flatMap(path => {
    const [before, after] = [oneOf(earlier, path), oneOf(now, path)];
    if (!before || !after) return [];
    const files = before.files && after.files ? Object.keys({...before.files, ...after.files}) : [];
    const parts: Change[] = [
      {key: `model[${path}]`, before: before.hash, after: after.hash},
      ...files.map(name => ({key: `model[${path}]/${name}`, before: before.files![name], after: after.files![name]})),
    ];
    return parts.filter(part => part.before !== part.after);
  });
}

/** Earlier versions noted no more than the files that the sweep names. */
function isUnnoted({ingredients, model}: Manifest, key: string): boolean {
  return (!ingredients && isNeeded(key)) || (model.files === undefined && key.startsWith('model/'));
}

function notesOn(earlier: Manifest, now: FullManifest, unknown: readonly string[]): string[] {
  const version = ({versions}: Pick<Manifest, 'versions'>) => versions?.['lora-sweep'] ?? 'unknown';
  const [before, after] = [version(earlier.starts.at(-1) ?? earlier), version(now)];
  const names = unknown.join(', ');
  const [engines, there] = [enginesOf(earlier.starts.at(-1) ?? earlier), enginesOf(now.starts.at(-1) ?? now)];
  return [
    ...newAims(earlier, now),
    ...(before === after
      ? []
      : [`Earlier trials of this run were made by lora-sweep ${before}, further ones by ${after}.`]),
    ...(engines.every(engine => there.includes(engine))
      ? []
      : [
          `Earlier trials ran on the ${engines.join(' and ')} engine, further ones run on ${there.join(' and ')}: last digits may differ.`,
        ]),
    ...(names === '' ? [] : [`The version that began this run did not note ${names}: taken to be as it was then.`]),
  ];
}

const enginesOf = ({engine, engines = {}}: Pick<Start, 'engine' | 'engines'>): string[] => [
  ...new Set([engine, ...Object.values(engines)]),
];

/** Keys that say which trials are trained and what is said of them: what is trained already stands, whatever they say. */
const aims = ['search', 'verdict', 'tune', 'objective'] as const;

function newAims(earlier: Manifest, now: FullManifest): string[] {
  const {sweep} = earlier;
  if (!sweep) return [];
  const words = (value: object | string | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return aims.flatMap(key => {
    const [before, after] = [words(sweep[key]), words(now.sweep[key])];
    return before === after ? [] : [`${key} changed from ${before} to ${after}; what is trained already stands.`];
  });
}

/**
 * What the run was made with. Earlier versions wrote the sweep and the hashes down, of which the table is made.
 * @throws SweepError `bad-manifest` where they did not, or where the table is not as it was written
 */
export function tableOf({ingredients, sweep, model, data, settings, versions, ...rest}: Manifest): Ingredients {
  if (ingredients && fingerprint(ingredients) !== rest.fingerprint)
    throw new SweepError(
      'bad-manifest',
      'What the manifest says this run was made with is not what was written there, so that nothing can be compared with it; put the file back as it was, or start a new run with --out.',
    );
  if (ingredients) return ingredients;
  if (!sweep || !settings)
    throw new SweepError(
      'bad-manifest',
      `This run was made by lora-sweep ${versions?.['lora-sweep'] ?? 'of an early version'}, which did not note every setting: it can be shown but not gone on with; start a new run with --out.`,
    );
  const precision = settings['training.precision'];
  const files = Object.fromEntries(data.map(({path, hash}) => [path, hash]));
  // Early versions wrote down what was asked for, and knew nothing but float32.
  const taken = typeof precision === 'string' && precision !== 'auto' ? precision : 'float32';
  return {
    ...ofRemovedMethods(settings, sweep),
    ...ingredientsOf(sweep, {model: model.hash, modelFiles: model.files, files, modules: {}, precision: taken}),
  };
}

/** What an earlier version noted of methods that the sweep no longer had at its last start. */
function ofRemovedMethods(settings: Record<string, unknown>, {methods}: Sweep): Ingredients {
  const there = new Set(methods.map(one => `methods.${nameOf(one)}`));
  const entries = Object.entries(settings).flatMap(([key, value]) => {
    if (!key.startsWith('methods.') || there.has(key) || typeof value !== 'object' || value === null) return [];
    const own = Object.entries(value).flatMap(([name, one]) =>
      one === null ? [] : [[`${key}.${name}`, one] as const],
    );
    return [[key, true] as const, ...own];
  });
  return Object.fromEntries(entries);
}

/** Changes that are named; the others are counted. */
const mostNamed = 6;

function notComparable(changes: readonly Change[], sweep: Sweep): SweepError {
  const all = [...new Set(changes.map(change => changeInWords(change, sweep)))];
  const words = all.slice(0, mostNamed);
  const more = all.length - words.length;
  const undo = all.length === 1 ? 'undo the change' : 'undo the changes';
  return new SweepError(
    'not-comparable',
    `Cannot resume: ${words.join('; ')}${more > 0 ? `; and ${more} more` : ''}; new results would not be comparable with the earlier ones: ` +
      `${undo}, or begin anew with --fresh, which keeps this run under its date.`,
    {changes},
  );
}

/** Bytes of a manifest; real ones have some thousand. */
const mostBytes = 64 << 20;

/** What readers of a manifest rely on. */
const shape = record({
  name: isText,
  versions: recordOf(isText),
  machine: record({platform: isText, architecture: isText, processor: isText, cores: number, memoryBytes: number}),
  seeds: optional(listOf(number)),
  curvature: optional(orNull(record({samples: number}))),
  rerun: optional(record({folder: isText, command: isText, file: optional(fileName)})),
  settings: optional(isRecord),
  ingredients: optional(isRecord),
  fingerprint: optional(isText),
  starts: listOf(
    record({at: isText, sweepFile: fileName, sweepHash: optional(isText), engines: optional(recordOf(isText))}),
  ),
  model: record({
    path: isText,
    hash: isText,
    folder: optional(isText),
    revision: optional(orNull(isText)),
    files: optional(recordOf(isText)),
  }),
  models: optional(recordOf(record({hash: isText, folder: isText, revision: orNull(isText), files: recordOf(isText)}))),
  data: listOf(record({path: isText, hash: isText, file: optional(isText)})),
  sweep: optional(record({data: isRecord})),
});

function isManifest(value: unknown): value is Manifest {
  return shape(value);
}

/** @throws SweepError `bad-manifest` */
export function readManifest(file: string): Manifest | null {
  if (!existsSync(file)) return null;
  let text: string;
  try {
    text = readText(file, mostBytes);
  } catch (error) {
    throw storeError(error, file);
  }
  try {
    const value = parseJson(text, file);
    if (isManifest(value) && (value.ingredients ?? value.settings) !== undefined) return value;
  } catch {
    // Falls through: broken JSON and a foreign file are the same trouble to the user.
  }
  throw new SweepError('bad-manifest', `${file} is not a manifest of a run; start a new run with --out.`, {file});
}

/** When a run was begun, in milliseconds since 1970; null where its manifest does not say. */
export function firstStart(manifest: Manifest | null): number | null {
  const at = Date.parse(manifest?.starts[0]?.at ?? '');
  return Number.isNaN(at) ? null : at;
}

/** What results depend on, as texts; null where a version noted it otherwise. */
export function madeOf(manifest: Manifest | null): Record<string, string> | null {
  return manifest?.ingredients && manifest.sweep ? asTexts(manifest.ingredients, manifest.sweep) : null;
}

export function writeManifest(file: string, manifest: Manifest): void {
  writeWhole(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

function seedsOf({methods}: Sweep): number[] {
  return [...new Set(methods.flatMap(({seeds}) => seeds))].sort((a, b) => a - b);
}

/** A word of a command line, as a shell reads it. */
export function quoted(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

function machine(): Machine {
  return {
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}
