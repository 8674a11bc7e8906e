/** Everything a sweep needs from disk: model, tokenizer, training rows, evaluation rows; checked before work begins. */
import {resolve} from 'node:path';
import {seedsAt} from '../../core/search/standing.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {hashAdapter} from '../adapter/hash-adapter.ts';
import type {ProbeSource} from '../curvature/probe.ts';
import {type AnswerEnds, answerEnds} from '../data/answer-ends.ts';
import {cachedDataset} from '../data/cached-dataset.ts';
import type {Dataset, Loading} from '../data/dataset.ts';
import type {EncodingModel} from '../data/encode.ts';
import {stepsOf} from '../data/order.ts';
import {type DataStatistics, statisticsOf} from '../data/statistics.ts';
import type {Choice} from '../engine/choose.ts';
import {isNative} from '../engine/tensorflow/binding.ts';
import {hashFiles} from '../files/hash.ts';
import {findModel} from '../model/find-model.ts';
import {type BaseModel, openModel} from '../model/open-model.ts';
import type {Site} from '../model/site.ts';
import {sitesOf} from '../model/sites.ts';
import type {TrainingSize} from '../size/memory.ts';
import {rowsAtATime, sizeOfTraining, withRecompute} from '../size/training-size.ts';
import {extents, type TrainingSource} from '../step/batches.ts';
import {filesBesideModule} from '../store/module-files.ts';
import type {Prompt} from '../task/prompts.ts';
import {openTokenizer, type Tokenizer} from '../text/tokenizer.ts';
import type {Evaluation} from '../training/evaluation.ts';
import {evaluationMemory} from '../training/evaluation.ts';
import {probeSource, shapesOf} from '../training/sources.ts';
import {readEvaluation} from './evaluations.ts';

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
export type Trainer = Pick<Choice, 'engine' | 'precision' | 'gpu'>;

/** Beyond 4 Mi characters a text is refused with its own sentence; larger files are not even read. */
export const mostSweepBytes = 64 << 20;

export async function prepare(
  sweep: Sweep,
  base: string,
  workers: number,
  loading: Loading,
  choice?: Trainer,
): Promise<Prepared> {
  const pathOf = (path: string) => resolve(base, path);
  const model = await openModel(findModel(sweep.model, base));
  const {config} = model;
  const sites = sitesOf(config.layers.length, sweep.targets, model.weights);
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

  const {training, data, curvature} = sweep;
  const device = choice?.gpu;
  const room = {workers, device};
  const native = choice && isNative(choice.engine) ? choice.precision : undefined;
  const kept = sizeOfTraining(sweep, model, sites, evaluationMemory(config, evaluations), native);
  notes.push(...remarks);
  const seeds = seedsOf(sweep);
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
  const size = withRecompute(kept, sweep, wholes, room);
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
        const rows = rowsAtATime(size, training, batchSize, whole, room);
        source = {...orderOf(batchSize), rows, shapes: rows === batchSize ? whole : shapes(batchSize, rows), pad};
        sources.set(batchSize, source);
      }
      return source;
    },
  };
}

/** Those of the file and, where a search may add some, those as well: their rows are to find room in the shapes. */
function seedsOf({methods, search, verdict}: Sweep): number[] {
  const own = methods.flatMap(method => method.seeds);
  const most = search ? (verdict?.seeds ?? 0) : 0;
  const further = methods.flatMap(({seeds}) => seedsAt([], most, [{seeds}]));
  return [...new Set([...own, ...further])];
}

/** The rows of `curvature.data`, read as the training rows are. */
function loadProbed({data}: Sweep, file: string, base: string, encoding: EncodingModel): Promise<Dataset> {
  const {rows: _, ...whole} = data;
  return cachedDataset({...whole, train: [file]}, base, encoding);
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
