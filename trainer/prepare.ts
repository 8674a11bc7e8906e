/** Everything a sweep needs from disk: model, tokenizer, training rows, evaluation rows; checked before work begins. */
import {basename, dirname, resolve} from 'node:path';
import {SweepError} from '../core/error.ts';
import {trainedParameters} from '../core/method/parameters.ts';
import type {Problem} from '../core/sweep/problem.ts';
import {readSweep} from '../core/sweep/read.ts';
import type {CurvatureSettings, DataSettings, EvaluationSettings, Sweep} from '../core/sweep/sweep.ts';
import {evaluationMemory} from './activations.ts';
import {extents, type RowSource, type TrainingSource} from './batches.ts';
import type {ProbeSource} from './curvature/probe.ts';
import {type AnswerEnds, answerEnds} from './data/answer-ends.ts';
import {extentOf} from './data/batch.ts';
import {cachedDataset} from './data/cached-dataset.ts';
import type {Dataset, Loading} from './data/dataset.ts';
import type {EncodingModel} from './data/encode.ts';
import {stepRows, stepsOf} from './data/order.ts';
import {type Prompt, readPrompts} from './data/prompts.ts';
import {type BatchShape, bucketShapes, type Extent, paddedShapes, union} from './data/shapes.ts';
import {type DataStatistics, statisticsOf} from './data/statistics.ts';
import {isNative} from './engine/binding.ts';
import type {Choice, Wish} from './engine/choose.ts';
import type {Precision} from './engine/tensorflow.ts';
import type {Evaluation} from './evaluate.ts';
import {readText} from './files/door.ts';
import {adaptedBytes, microBatchFor, partOf, recomputes, type TrainingSize} from './memory.ts';
import {formOf, methods, startsFromGradients} from './method/index.ts';
import {sharedLayout} from './method/layout.ts';
import type {Site} from './method/method.ts';
import type {ModelConfig} from './model/config.ts';
import {findModel} from './model/find-model.ts';
import {type BaseModel, openModel} from './model/open-model.ts';
import type {StoredTensor} from './model/safetensors.ts';
import {sitesOf} from './model/sites.ts';
import {openTokenizer, type Tokenizer} from './model/tokenizer.ts';
import {weightCount} from './model/weights.ts';
import {hashAdapter, hashFiles} from './store/hash.ts';
import {filesBesideModule} from './store/module-files.ts';
import {stopsOf} from './task/tasks.ts';

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
  /** Optimizer steps of a trial. */
  steps(batchSize: number): number;
  /** Training rows in batches of this size. */
  source(batchSize: number): TrainingSource;
  /** The rows whose curvature is probed, where the sweep asks for it: the first ones in the order of this seed. */
  probeSource(seed: number): ProbeSource;
  /** A path of the sweep file, made absolute. */
  pathOf(path: string): string;
}

/** What trains. */
type Trainer = Pick<Choice, 'engine' | 'precision' | 'gpu'>;

export interface OpenedSweep {
  sweep: Sweep;
  /**
   * `curvature`: probe this way where the sweep file says nothing of it. `loading` hears of the training rows. `choice`:
   * the engine that trains, and the GPU where it runs on one.
   */
  prepare(workers: number, curvature?: CurvatureSettings, loading?: Loading, choice?: Trainer): Promise<Prepared>;
  /** What an engine is chosen by. */
  wish(): Promise<Wish>;
}

/** Beyond 4 Mi characters a text is refused with its own sentence; larger files are not even read. */
const mostSweepBytes = 64 << 20;

/** The text of a sweep file. */
export function readSweepFile(file: string): string {
  try {
    return readText(file, mostSweepBytes);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'is not there' : 'cannot be read';
    throw new SweepError('missing-file', `The sweep file ${file} ${reason}; give the path of a *.sweep.yaml file.`, {
      file,
    });
  }
}

/** One line a problem, as compilers write them: place, severity, what is wrong. */
export function problemLine(file: string, {range, severity, message, code}: Problem): string {
  return `${file}:${range.start.line + 1}:${range.start.character + 1}: ${severity}: ${message} [${code}]`;
}

/**
 * Reads a sweep file.
 * @throws SweepError with the first of its errors
 */
export function openSweep(file: string): OpenedSweep {
  const {sweep, problems} = readSweep(readSweepFile(file), basename(file));
  if (sweep === undefined) {
    const errors = problems.filter(({severity}) => severity === 'error');
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more: lora-sweep check ${file})` : '';
    throw new SweepError(errors[0]!.code, `${problemLine(file, errors[0]!)}${more}`, {problems});
  }
  const base = dirname(resolve(file));
  return {
    sweep,
    async wish() {
      const {weights} = await openModel(findModel(sweep.model, base));
      return {...sweep.run, precision: sweep.training.precision, stored: storedPrecision(weights.tensors.values())};
    },
    prepare: (workers, curvature, loading = {}, choice) =>
      prepare(curvature ? {curvature, ...sweep} : sweep, base, workers, loading, choice),
  };
}

/** bfloat16 where most of the weights' numbers are stored so. */
function storedPrecision(tensors: Iterable<StoredTensor>): Precision {
  let balance = 0;
  for (const {dtype, shape} of tensors)
    balance += (dtype === 'BF16' ? 1 : -1) * shape.reduce((product, size) => product * size, 1);
  return balance > 0 ? 'bfloat16' : 'float32';
}

/** Shapes a step is compiled for, at most. */
const mostShapes = 8;
/** Adapted weights up to this many bytes are merged with their updates at each step; larger ones stay as they are. */
export const mergeLimit = 128e6;
/** Tokens of a probed batch, at least, where there are as many. */
const probeTokens = 320;
/** Target tokens of an evaluation batch, about. */
const evaluationTokens = 8192;

async function prepare(
  sweep: Sweep,
  base: string,
  workers: number,
  loading: Loading,
  choice?: Trainer,
): Promise<Prepared> {
  const pathOf = (path: string) => resolve(base, path);
  const model = await openModel(findModel(sweep.model, base));
  const {config, weights} = model;
  const sites = sitesOf(config.layers.length, sweep.targets, weights);
  const tokenizer = sweep.data.format === 'tokens' ? null : openTokenizer(model.folder);
  const encoding = {config, tokenizer};
  const remarks = new Set<string>();
  const note = (message: string) => void remarks.add(message);
  const dataset = await cachedDataset(sweep.data, base, encoding, {...loading, note});
  const pad = config.padId ?? 0;
  const notes = [...dataNotes(dataset, sweep)];
  const ends = answerEnds(sweep.data, encoding, dataset);
  for (const task of new Set(sweep.evaluate.flatMap(one => (one.strict ? one.task : []))))
    notes.push(
      `${task} is judged as the study's own script does (strict): an answer without "The answer is: " is wrong.`,
    );

  const evaluations: Evaluation[] = [];
  const prompts = new Map<number, Prompt[]>();
  for (const [index, one] of sweep.evaluate.entries()) {
    const read = await readEvaluation(one, index, sweep.data, base, encoding, {ends, note});
    evaluations.push(read.evaluation);
    if (read.prompts) prompts.set(index, read.prompts);
  }

  const largest = Math.max(
    ...sweep.methods.flatMap(({method, ranks, options}) =>
      ranks.map(rank => trainedParameters({method, rank, ...(options ? {options} : {})}, sites, weightCount(config))),
    ),
  );
  const {training, data, curvature, run} = sweep;
  const device = choice?.gpu;
  const merged = adaptedBytes(sites) <= mergeLimit;
  const rank = Math.max(...sweep.methods.flatMap(({ranks}) => ranks));
  const kept = {
    ...{config, weights, sites, rank, merged, dropout: training.dropout > 0, parameters: largest},
    ...(choice && isNative(choice.engine) ? {native: choice.precision} : {}),
    shared: sharedNumbers(sweep.methods, sites),
    gradients: sweep.methods.some(({method}) => startsFromGradients(method)),
    evaluating: evaluationMemory(config, evaluations),
  };
  notes.push(...remarks);
  const seeds = [...new Set(sweep.methods.flatMap(method => method.seeds))];
  const probed = curvature?.data === undefined ? dataset : await loadProbed(sweep, curvature.data, base, encoding);
  const sources = new Map<number, TrainingSource>();
  const steps = (batchSize: number) => stepsOf(dataset.count, batchSize, training);
  const orderOf = (batchSize: number) => ({dataset, batchSize, shuffle: data.shuffle});
  /** Of batches of this size that are computed so many rows at a time. */
  const shapes = (batchSize: number, rows: number) =>
    shapesOf(extents({...orderOf(batchSize), rows}, seeds, steps(batchSize)), rows);
  /** By batch size, computed whole. */
  const wholes = new Map(
    [...new Set(sweep.methods.flatMap(({batchSizes}) => batchSizes))].map(size => [size, shapes(size, size)]),
  );
  const {microBatch} = training;
  const asked = [...wholes].map(([batchSize, whole]) =>
    microBatch === 'auto' || microBatch >= batchSize ? whole : whole.map(step => partOf(step, microBatch)),
  );
  const trials = run.pack === 'auto' ? 1 : run.pack;
  const size = {...kept, recompute: recomputes(training.checkpoint, kept, asked, {workers, trials}, device)};
  if (size.recompute && training.checkpoint === 'auto')
    notes.push(
      'To fit in memory, layers are computed again in the backward pass, which takes about a quarter longer; training.checkpoint: false turns it off.',
    );
  return {
    sweep,
    model,
    tokenizer,
    sites,
    size,
    evaluations,
    prompts,
    ends,
    dataHashes: await hashes(
      [
        ...data.train,
        ...sweep.evaluate.flatMap(({data: rows, scorer}) => (scorer === undefined ? [rows] : [rows, scorer])),
        ...(curvature?.data ? [curvature.data] : []),
      ],
      new Set(sweep.methods.flatMap(({startFrom}) => startFrom ?? [])),
      pathOf,
    ),
    modules: await modulesOf(sweep, pathOf),
    notes,
    data: statisticsOf(dataset),
    steps,
    pathOf,
    probeSource: seed => probeSource(probed, sweep, seed, pad),
    source(batchSize) {
      let source = sources.get(batchSize);
      if (source === undefined) {
        const whole = wholes.get(batchSize)!;
        const rows =
          microBatch === 'auto' ? microBatchFor(size, whole, workers, device) : Math.min(microBatch, batchSize);
        source = {...orderOf(batchSize), rows, shapes: rows === batchSize ? whole : shapes(batchSize, rows), pad};
        sources.set(batchSize, source);
      }
      return source;
    },
  };
}

/** One entry of `evaluate` with its rows, read as the training rows are; prompts where answers are generated. */
export async function readEvaluation(
  settings: EvaluationSettings,
  index: number,
  data: DataSettings,
  base: string,
  encoding: EncodingModel & {config: ModelConfig},
  {ends, note = () => {}}: {ends: AnswerEnds; note?: (message: string) => void},
): Promise<{evaluation: Evaluation; prompts?: Prompt[]; truncated: number}> {
  const {task, data: file, maxNewTokens, limit, every, entry, samples, temperature, topP} = settings;
  const when = {index, ...(every === undefined ? {} : {every}), ...(entry === undefined ? {} : {entry})};
  if (task === 'loss') {
    const {rows: _, ...whole} = data;
    const held = await cachedDataset(
      {...whole, train: [file], ...(limit === undefined ? {} : {rows: limit})},
      base,
      encoding,
      {note},
    );
    const source = inOrder(held, encoding.config.padId ?? 0);
    return {evaluation: {...when, task: 'loss', source}, truncated: held.truncated};
  }
  const prompts = await readPrompts(settings, data, base, encoding, ends.ids);
  const ids = prompts.map(prompt => Int32Array.from(prompt.ids));
  const stop = [...stopsOf(settings), ...ends.texts];
  const choosing = {
    ...(samples === undefined ? {} : {samples}),
    ...(temperature === undefined ? {} : {temperature}),
    ...(topP === undefined ? {} : {topP}),
    ...(stop.length > 0 ? {stop} : {}),
  };
  const generating = {task: 'generate', prompts: ids, maxNewTokens, eosIds: ends.ids, choosing} as const;
  return {evaluation: {...when, ...generating}, prompts, truncated: 0};
}

/** Shapes that these batches of `rows` rows are computed in. */
export const shapesOf = (batches: readonly Extent[], rows: number): BatchShape[] =>
  bucketShapes(batches, rows, mostShapes);

/** Frozen numbers that all sites of a trial share, of the method that has most of them. */
export function sharedNumbers(
  settings: readonly Pick<Sweep['methods'][number], 'method' | 'ranks' | 'options'>[],
  sites: readonly Site[],
): number {
  const sizes = settings.flatMap(({method, ranks, options}) =>
    method === 'full'
      ? []
      : ranks.map(
          rank =>
            sharedLayout(sites, methods[method], formOf({method, rank, alpha: rank, ...(options ? {options} : {})}))
              .size,
        ),
  );
  return Math.max(0, ...sizes);
}

/** A dataset from its first row to its last, for evaluation. */
function inOrder(dataset: Dataset, pad: number): RowSource {
  const all = Array.from({length: dataset.count}, (_, row) => extentOf(dataset, [row]));
  const rows = Math.max(1, Math.min(dataset.count, Math.floor(evaluationTokens / (union(all).lengths[0] ?? 1))));
  const batches = Array.from({length: Math.ceil(dataset.count / rows)}, (_, batch) =>
    extentOf(
      dataset,
      Int32Array.from({length: Math.min(rows, dataset.count - batch * rows)}, (_, i) => batch * rows + i),
    ),
  );
  return {dataset, rows, shapes: shapesOf(batches, rows), pad};
}

/** The rows of `curvature.data`, read as the training rows are. */
function loadProbed({data}: Sweep, file: string, base: string, encoding: EncodingModel): Promise<Dataset> {
  const {rows: _, ...whole} = data;
  return cachedDataset({...whole, train: [file]}, base, encoding);
}

/** The first `samples` rows in the order of this seed, the longest ones first. */
function probeSource(dataset: Dataset, {data, curvature}: Sweep, seed: number, pad: number): ProbeSource {
  const {samples, batchSize} = curvature!;
  const first = stepRows(dataset.count, Math.min(samples, dataset.count), 0, {seed, shuffle: data.shuffle});
  const lengths = new Map([...first].map(row => [row, extentOf(dataset, [row]).tokens]));
  const order = first.toSorted((a, b) => lengths.get(b)! - lengths.get(a)! || a - b);
  // Rows so short that a batch of them is hardly worth a call are taken more at a time.
  const longest = Math.max(...lengths.values());
  const rows = Math.min(Math.max(batchSize, Math.floor(probeTokens / longest)), order.length);
  const batches = Array.from({length: Math.ceil(order.length / rows)}, (_, i) =>
    extentOf(dataset, order.subarray(i * rows, (i + 1) * rows)),
  );
  return {dataset, rows, shapes: paddedShapes(batches, rows, mostShapes), pad, order};
}

function* dataNotes({count, truncated, empty}: Dataset, {data}: Sweep): Generator<string> {
  if (truncated > 0)
    yield `${truncated} of ${count + empty} rows are longer than ${data.maxLength} tokens and were cut; raise data.max_length to keep them whole.`;
  if (empty > 0)
    yield `${empty} of ${count + empty} rows have no token to learn within ${data.maxLength} tokens and were left out.`;
}

/** The files that the scorers of a sweep need beside themselves. */
async function modulesOf({evaluate}: Sweep, pathOf: (path: string) => string): Promise<Prepared['modules']> {
  const scorers = [...new Set(evaluate.flatMap(({scorer}) => scorer ?? []))];
  const found = scorers.map(async scorer => [scorer, await filesBesideModule(pathOf(scorer))] as const);
  return Object.fromEntries(await Promise.all(found));
}

async function hashes(
  paths: string[],
  adapters: ReadonlySet<string>,
  pathOf: (path: string) => string,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of new Set([...paths, ...adapters])) {
    found[path] = await (adapters.has(path) ? hashAdapter : hashFiles)(pathOf(path));
  }
  return found;
}
