/** `manifest.json`: what a run was made with, and whether a resumed one may go on from it. */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {availableParallelism, cpus, totalmem} from 'node:os';
import {basename, dirname, resolve} from 'node:path';
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
import type {CurvatureSettings, Sweep} from '../../core/sweep/sweep.ts';
import {readText} from '../files/door.ts';
import {storeError, writeWhole} from './errors.ts';

/** What the run is made with, as far as the sweep file does not say it. */
export interface Ingredients {
  /** Program or library → version. */
  versions: Record<string, string>;
  engine: string;
  /** Of the frozen weights and their products, as the engine takes it; default float32. */
  precision?: 'float32' | 'bfloat16';
  /** SHA-256 (or another hash of the content) of the model's weights. */
  modelHash: string;
  /** Where the model was found, the commit of the hub it is, and the hashes of its other files by name. */
  model: {folder: string; revision: string | null; files: Record<string, string>};
  /** The same of every data file and starting adapter, by its path as the sweep file writes it. */
  dataHashes: Record<string, string>;
}

export interface Start {
  /** ISO 8601. */
  at: string;
  /** The copy of the sweep file that this start followed, and its SHA-256; earlier versions did not note that. */
  sweepFile: string;
  sweepHash?: string;
  engine: string;
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
  data: {path: string; hash: string; file?: string}[];
  /** Key of the sweep file → value, of all that earlier results depend on beside the trial itself. */
  settings: Record<string, unknown>;
  /** The whole sweep after defaults, as the last start read it; like what follows, not in runs of earlier versions. */
  sweep?: Sweep;
  seeds?: number[];
  /** Null where nothing is probed. */
  curvature?: CurvatureSettings | null;
  /** How to make the run again. */
  rerun?: {folder: string; command: string};
  /** One entry for the first start and one for every resumption. */
  starts: Start[];
}

/** As it is written now. */
export type FullManifest = Manifest & Required<Pick<Manifest, 'sweep' | 'seeds' | 'curvature' | 'rerun'>>;

/** A sweep file and its copy in the run folder. */
export interface SweepCopy {
  /** Absolute. */
  original: string;
  /** Name in the run folder. */
  copy: string;
  text: string;
}

/** The manifest of a first start. */
export function newManifest(sweep: Sweep, ingredients: Ingredients, {original, copy, text}: SweepCopy): FullManifest {
  const {versions, engine, modelHash, dataHashes} = ingredients;
  const sweepHash = createHash('sha256').update(text).digest('hex');
  const start = {at: new Date().toISOString(), sweepFile: copy, sweepHash, engine, versions, machine: machine()};
  const folder = dirname(original);
  return {
    name: sweep.name,
    versions,
    engine,
    machine: start.machine,
    model: {path: sweep.model, hash: modelHash, ...ingredients.model},
    data: Object.entries(dataHashes).map(([path, hash]) => ({path, hash, file: resolve(folder, path)})),
    seeds: seedsOf(sweep),
    curvature: sweep.curvature ?? null,
    rerun: {folder, command: `lora-sweep run ${quoted(basename(original))} --out NEW_FOLDER`},
    sweep,
    settings: settingsThatMatter(sweep, ingredients),
    starts: [start],
  };
}

/**
 * The manifest after one more start.
 * @throws SweepError `not-comparable` naming the first setting that differs from the one earlier results were made with
 */
export function resumedManifest(earlier: Manifest, now: FullManifest): Manifest {
  for (const key of new Set([...Object.keys(earlier.settings), ...Object.keys(now.settings)])) {
    // A method or probe that is new, or no longer asked for, does not touch what is there.
    const isOptional = key.startsWith('methods.') || key === 'curvature';
    const [stored, after] = [earlier.settings[key], now.settings[key]];
    // Earlier versions wrote down what was asked for, and knew nothing but float32.
    const before = key === 'training.precision' && stored === 'auto' ? 'float32' : stored;
    if (isOptional && (before === undefined || after === undefined)) continue;
    if (JSON.stringify(before) !== JSON.stringify(after)) throw notComparable(key, before, after);
  }
  const {sweep, seeds, curvature, rerun} = now;
  const known = new Set(now.data.map(({path}) => path));
  return {
    ...earlier,
    model: now.model,
    data: [...earlier.data.filter(({path}) => !known.has(path)), ...now.data],
    ...{sweep, seeds, curvature, rerun},
    settings: {...earlier.settings, ...now.settings},
    starts: [...earlier.starts, ...now.starts],
  };
}

export function notComparable(key: string, before: unknown, after: unknown): SweepError {
  const change = [before, after].map(value => JSON.stringify(value) ?? 'nothing');
  const what = change.join('').length > 120 ? '' : ` from ${change[0]} to ${change[1]}`;
  return new SweepError(
    'not-comparable',
    `Cannot resume: ${key} changed${what}, so new results would not be comparable with the earlier ones; ` +
      'undo the change, or start a new run with --out.',
    {key, before, after},
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
  rerun: optional(record({folder: isText, command: isText})),
  settings: isRecord,
  starts: listOf(record({at: isText, sweepFile: fileName, sweepHash: optional(isText)})),
  model: record({
    path: isText,
    hash: isText,
    folder: optional(isText),
    revision: optional(orNull(isText)),
    files: optional(recordOf(isText)),
  }),
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
    if (isManifest(value)) return value;
  } catch {
    // Falls through: broken JSON and a foreign file are the same trouble to the user.
  }
  throw new SweepError('bad-manifest', `${file} is not a manifest of a run; start a new run with --out.`, {file});
}

export function writeManifest(file: string, manifest: Manifest): void {
  writeWhole(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Everything two results must share to be compared, beside method, rank, alpha, batch size, rate and seed, which a
 * trial carries itself. Not here: engine, workers, packing, micro-batches; they move the last digits only.
 */
function settingsThatMatter(
  sweep: Sweep,
  {modelHash, dataHashes, precision = 'float32'}: Ingredients,
): Record<string, unknown> {
  const {data, training} = sweep;
  const hash = (path: string): string => dataHashes[path] ?? path;
  return {
    model: modelHash,
    'data.train': data.train.map(hash),
    'data.format': data.format,
    'data.columns': sortedByKey(data.columns),
    'data.template': data.template,
    'data.rows': data.rows ?? null,
    'data.max_length': data.maxLength,
    'data.shuffle': data.shuffle,
    targets: sweep.targets,
    'training.length': training.steps === undefined ? {epochs: training.epochs} : {steps: training.steps},
    'training.optimizer': sortedByKey({...training.optimizer}),
    'training.weight_decay': training.weightDecay,
    'training.schedule': training.schedule,
    'training.warmup_ratio': training.warmupRatio,
    'training.max_grad_norm': training.maxGradNorm,
    'training.dropout': training.dropout,
    // As it was taken, not as asked for: `auto` may mean the one today and the other tomorrow.
    'training.precision': precision,
    // Files may have other names now.
    evaluate: sweep.evaluate.map(({entry: _, ...one}) => sortedByKey({...one, data: hash(one.data)})),
    ...(sweep.curvature
      ? {curvature: sortedByKey({...sweep.curvature, data: hash(sweep.curvature.data ?? 'data.train'), at: null})}
      : {}),
    ...Object.fromEntries(
      sweep.methods.map(({method, iterations, startFrom}) => [
        `methods.${method}`,
        {iterations: iterations ?? null, start_from: startFrom === undefined ? null : hash(startFrom)},
      ]),
    ),
  };
}

function seedsOf({methods}: Sweep): number[] {
  return [...new Set(methods.flatMap(({seeds}) => seeds))].sort((a, b) => a - b);
}

/** A file name as a shell takes it. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

function sortedByKey(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
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
