/** Everything a sweep needs from disk: model, tokenizer, training rows, evaluation rows; checked before work begins. */
import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {grouped} from '../../core/grouped.ts';
import {plainKey, plainOf, stepsKey} from '../../core/sweep/axes/axes.ts';
import type {DataSettings, Sweep, Trial} from '../../core/sweep/sweep.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {hashAdapter} from '../adapter/hash-adapter.ts';
import type {ProbeSource} from '../curvature/probe.ts';
import {type AnswerEnds, answerEnds} from '../data/answer-ends.ts';
import {cachedDataset} from '../data/cached-dataset.ts';
import type {Dataset, Loading} from '../data/dataset.ts';
import type {EncodingModel} from '../data/encode.ts';
import {type DataStatistics, statisticsOf} from '../data/statistics.ts';
import {choiceFor} from '../engine/choices.ts';
import type {Choice} from '../engine/choose.ts';
import {isNative} from '../engine/tensorflow/binding.ts';
import {hashFiles} from '../files/hash.ts';
import {findModel} from '../model/find-model.ts';
import {type BaseModel, openModel} from '../model/open-model.ts';
import type {Site} from '../model/site.ts';
import {sitesOf} from '../model/sites.ts';
import {allocatedCores} from '../process/allocation.ts';
import type {TrainingSize} from '../size/memory.ts';
import {type Room, sizeOfTraining} from '../size/training-size.ts';
import type {TrainingSource} from '../step/batches.ts';
import {filesBesideModule} from '../store/module-files.ts';
import type {Prompt} from '../task/prompts.ts';
import {openTokenizer, type Tokenizer} from '../text/tokenizer.ts';
import type {Evaluation} from '../training/evaluation.ts';
import {evaluationMemory} from '../training/evaluation.ts';
import {probeSource} from '../training/sources.ts';
import {readEvaluations} from './evaluating/evaluations.ts';
import {trainingBatches} from './training-batches.ts';

export interface Prepared {
  sweep: Sweep;
  model: BaseModel;
  /** null for format tokens. */
  tokenizer: Tokenizer | null;
  sites: Site[];
  size: TrainingSize;
  /** In the order of the sweep file; prompts by evaluation where answers are generated. */
  evaluations: Evaluation[];
  prompts: Map<number, Prompt[]>;
  /** Where generated answers end. */
  ends: AnswerEnds;
  /** SHA-256 of each data file and starting adapter by its path as written. */
  dataHashes: Record<string, string>;
  /** By scorer, its path as written: what it needs beside its own file, with hashes. */
  modules: Record<string, Record<string, string>>;
  notes: string[];
  /** Of the training rows. */
  data: DataStatistics;
  /** Rows that were read, those without a token to learn among them. */
  rowsRead: number;
  /** Optimizer steps of a trial. */
  steps(batchSize: number): number;
  /** Training rows in batches of this size, of which at most so many are computed at a time. */
  source(batchSize: number, mostRows?: number): TrainingSource;
  /** The rows whose curvature is probed, where the sweep asks for it: the first ones in the order of this seed. */
  probeSource(seed: number): ProbeSource;
  /** A path of the sweep file, made absolute. */
  pathOf(path: string): string;
  /** What a trial is trained with, where the sweep has axes: all of the above with its own values of them. */
  of(trial: Pick<Trial, 'model' | 'settings'>): Prepared;
}

/** What trains. */
export type Trainer = Pick<Choice, 'engine' | 'precision' | 'gpu' | 'further'> & Pick<Room, 'pinned'>;

/** Beyond 4 Mi characters a text is refused with its own sentence; larger files are not even read. */
export const mostSweepBytes = 64 << 20;

/** All that the trials of a sweep are trained with; what several of them share is read once. */
export async function prepare(
  sweep: Sweep,
  base: string,
  workers: number,
  loading: Loading,
  choice?: Trainer,
  seeds = 0,
): Promise<Prepared> {
  const models = new Map<string, Promise<BaseModel>>();
  const datasets = new Map<string, Promise<Dataset>>();
  // One worker feeds a GPU; the other cores have nothing to do yet.
  const threads = choice?.gpu || choice?.engine === 'tfjs-node-gpu' ? allocatedCores() : workers;
  const opening: Opening = {
    ...{base, workers, loading: {...loading, threads}, choice, seeds},
    model: path => once(models, path, () => openModel(findModel(path, base))),
    dataset: (data, encoding, note) =>
      once(datasets, JSON.stringify([data, encoding.config]), () =>
        cachedDataset(data, base, encoding, {...opening.loading, note}),
      ),
  };
  const parts = new Map<string, Prepared>();
  const known = new Map<string, Promise<Omit<Prepared, 'of'>>>();
  const prepared = async (plain: Sweep, trial: Pick<Trial, 'model' | 'settings'> = {}): Promise<Prepared> => ({
    ...(await once(known, whatIsRead(plain), () =>
      preparePlain(plain, {...opening, choice: pinnedFor(trial, plain, choice)}),
    )),
    sweep: plain,
    of(this: Prepared, trial) {
      return parts.get(plainKey(trial)) ?? this;
    },
  });
  for (const trial of sweep.axes ? expandTrials(sweep) : []) {
    const key = plainKey(trial);
    if (!parts.has(key)) parts.set(key, await prepared(plainOf(sweep, trial), trial));
  }
  const [first = await prepared(sweep)] = parts.values();
  refuseDoubledRows([...parts.values()]);
  const notes = [...new Set([first, ...parts.values()].flatMap(part => part.notes))];
  const all = [first, ...parts.values()];
  const dataHashes: Prepared['dataHashes'] = Object.assign({}, ...all.map(part => part.dataHashes));
  const modules: Prepared['modules'] = Object.assign({}, ...all.map(part => part.modules));
  return {...first, sweep, notes, dataHashes, modules};
}

/**
 * Two numbers of rows of which the file has less are one: all of their trials would be trained twice.
 * @throws SweepError `duplicate-value`
 */
function refuseDoubledRows(parts: readonly Prepared[]): void {
  const others = ({sweep: {data, ...sweep}, rowsRead}: Prepared): string =>
    JSON.stringify([whatIsRead({...sweep, data: {...data, rows: 0}}), rowsRead]);
  for (const alike of grouped(parts, others).values()) {
    const asked = [...new Set(alike.map(({sweep}) => String(sweep.data.rows ?? 'all')))];
    // Of packed texts the blocks are counted, which other rows may make as many of.
    if (asked.length < 2 || alike[0]!.sweep.data.packing) continue;
    const [{sweep, rowsRead}] = alike as [Prepared];
    throw new SweepError(
      'duplicate-value',
      `data.rows ${asked.slice(0, 2).join(' and ')} are the same rows: ${sweep.data.train.join(', ')} has ${rowsRead.toLocaleString('en-US')}, so that their trials would be trained twice; leave one of them out.`,
    );
  }
}

/** What is settled for the batches of one plain sweep, by their size alone. */
function pinnedFor(
  trial: Pick<Trial, 'model' | 'settings'>,
  {methods}: Sweep,
  choice: Trainer | undefined,
): Trainer | undefined {
  const {pinned} = choice ?? {};
  if (!choice || !pinned) return choice;
  const sizes = new Set(methods.flatMap(({batchSizes}) => batchSizes));
  const rows = [...sizes].flatMap(batchSize => {
    const settled = pinned.microBatch[stepsKey({...trial, batchSize})];
    return settled === undefined ? [] : [[String(batchSize), settled] as const];
  });
  return {...choice, pinned: {...pinned, microBatch: Object.fromEntries(rows)}};
}

/** What decides on rows, their batches and what a step keeps: plain sweeps that differ in nothing of it are read once. */
export function whatIsRead({model, data, targets, training, evaluate}: Sweep): string {
  const {epochs, steps, dropout, precision} = training;
  return JSON.stringify([model, data, targets, epochs, steps, dropout > 0, precision, evaluate]);
}

/** What is opened for several plain sweeps alike. */
interface Opening {
  base: string;
  workers: number;
  loading: Loading;
  choice: Trainer | undefined;
  /** At one rate, at most. */
  seeds: number;
  model(path: string): Promise<BaseModel>;
  dataset(data: DataSettings, encoding: EncodingModel, note: (message: string) => void): Promise<Dataset>;
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

/** A sweep in which every axis has one value. */
async function preparePlain(sweep: Sweep, opening: Opening): Promise<Omit<Prepared, 'of'>> {
  const {base, workers, choice, seeds} = opening;
  const pathOf = (path: string) => resolve(base, path);
  const model = await opening.model(sweep.model);
  const {config} = model;
  const sites = sitesOf(config.layers.length, sweep.targets, model.weights);
  const tokenizer = sweep.data.format === 'tokens' ? null : openTokenizer(model.folder);
  const encoding = {config, tokenizer};
  const remarks = new Set<string>();
  const note = (message: string) => void remarks.add(message);
  const dataset = await opening.dataset(sweep.data, encoding, note);
  const ends = answerEnds(sweep.data, encoding, dataset);
  const {threads} = opening.loading;
  const {evaluations, prompts} = await readEvaluations(sweep, base, encoding, {ends, note, threads});
  const probed = await probedRows(sweep, base, encoding, dataset);
  const own = choice && choiceFor(choice, sweep.training.precision);
  const native = own && isNative(own.engine) ? own.precision : undefined;
  const kept = sizeOfTraining(sweep, model, sites, evaluationMemory(config, evaluations), native);
  const pad = config.padId ?? 0;
  const {size, steps, source} = trainingBatches(sweep, {dataset, pad, seeds}, kept, {
    ...{workers, device: choice?.gpu, pinned: choice?.pinned},
  });
  return {
    ...{sweep, model, tokenizer, sites, size, evaluations, prompts, ends, pathOf, steps, source},
    dataHashes: await hashes(sweep, pathOf),
    modules: await modulesOf(sweep, pathOf),
    notes: [...dataNotes(dataset, sweep), ...strictNotes(sweep), ...remarks, ...sizeNotes(size, sweep)],
    data: statisticsOf(dataset),
    rowsRead: dataset.count + dataset.empty,
    probeSource: seed => probeSource(probed, sweep, seed, pad),
  };
}

/** The rows whose curvature is probed: of `curvature.data`, read as the training rows are, or the training rows themselves. */
async function probedRows(
  {data, curvature}: Sweep,
  base: string,
  encoding: EncodingModel,
  training: Dataset,
): Promise<Dataset> {
  if (curvature?.data === undefined) return training;
  const {rows: _, ...whole} = data;
  return cachedDataset({...whole, train: [curvature.data]}, base, encoding);
}

function* dataNotes({count, truncated, empty}: Dataset, {data}: Sweep): Generator<string> {
  if (truncated > 0)
    yield `${truncated} of ${count + empty} rows are longer than ${data.maxLength} tokens and were cut; raise data.max_length to keep them whole.`;
  if (empty > 0)
    yield `${empty} of ${count + empty} rows have no token to learn within ${data.maxLength} tokens and were left out.`;
}

function* strictNotes({evaluate}: Sweep): Generator<string> {
  for (const task of new Set(evaluate.flatMap(one => (one.strict ? one.task : []))))
    yield `${task} is judged as the study's own script does (strict): an answer without "The answer is: " is wrong.`;
}

function* sizeNotes({recompute}: TrainingSize, {training}: Sweep): Generator<string> {
  if (recompute && training.checkpoint === 'auto')
    yield 'To fit in memory, layers are computed again in the backward pass, which takes about a quarter longer; training.checkpoint: false turns it off.';
}

/** The files that the scorers of a sweep need beside themselves. */
async function modulesOf({evaluate}: Sweep, pathOf: (path: string) => string): Promise<Prepared['modules']> {
  const scorers = [...new Set(evaluate.flatMap(({scorer}) => scorer ?? []))];
  const found = scorers.map(async scorer => [scorer, await filesBesideModule(pathOf(scorer))] as const);
  return Object.fromEntries(await Promise.all(found));
}

/** Of everything that is read for numbers: rows, scorers, starting adapters; by path as written. */
async function hashes(
  {data, evaluate, curvature, methods}: Sweep,
  pathOf: (path: string) => string,
): Promise<Prepared['dataHashes']> {
  const files = [
    ...data.train,
    ...evaluate.flatMap(({data: rows, scorer}) => (scorer === undefined ? [rows] : [rows, scorer])),
    ...(curvature?.data ? [curvature.data] : []),
  ];
  const adapters = new Set(methods.flatMap(({startFrom}) => startFrom ?? []));
  const found: Record<string, string> = {};
  for (const path of new Set([...files, ...adapters])) {
    found[path] = await (adapters.has(path) ? hashAdapter : hashFiles)(pathOf(path));
  }
  return found;
}
