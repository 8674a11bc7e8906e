/** The probing of blocks on one thread: Lanczos iterations of all blocks of a layer, side by side over the same batches. */
import {SweepError} from '../../core/error.ts';
import type {AdapterMethodName} from '../../core/method/methods.ts';
import {type StartOf, startOf, startSettings} from '../../core/run/compare/starts.ts';
import type {Probed, RunEventBody} from '../../core/run/events.ts';
import type {CurvatureSettings, Trial} from '../../core/sweep/sweep.ts';
import {commonParts, sharedLayout, trainedLayout, views} from '../adaptation/layout.ts';
import {inUse} from '../adaptation/pairs-in-use.ts';
import type {Engine} from '../engine/program/engine.ts';
import {type LanczosResult, lanczos} from '../math/lanczos.ts';
import {random} from '../math/random.ts';
import type {Parts} from '../method/form.ts';
import {formOf, methodOf, methods} from '../method/index.ts';
import type {Projection} from '../model/projections.ts';
import type {Site} from '../model/site.ts';
import type {BaseContext} from '../step/base.ts';
import {type RowSource, sideBySide} from '../step/batches.ts';
import {startingParameters} from '../step/start.ts';
import type {StartJob, StartSettings} from '../step/start-settings.ts';
import type {PackBatch} from '../step/step.ts';
import {type Block, blockSize, products, type Wanted} from './hessian.ts';
import {Network, Segments, type Weights} from './network.ts';
import {trainedWeights, weightsOf} from './point.ts';
import {blockShapes, sharedName} from './segments.ts';
import {together} from './together.ts';

/** The rows of the probed loss, in batches. */
export interface ProbeSource extends RowSource {
  /** Longest first, so that little is padded: the loss is a mean over all their tokens whatever their order. */
  order: Int32Array;
}

/** A projection that is probed. */
export interface Place {
  site: Site;
  layer: number;
  projection: Projection;
}

/** One block at the start of trials that share it. */
export interface StartBlock extends Place {
  /** Stands for all that differ from it by learning rate or batch size only. */
  trial: Trial;
  batchSizes: number[];
  /** Under which of the job's starts. */
  start: string;
  /** The weight itself instead of {A, B}. */
  full: boolean;
}

export type Iteration = Pick<CurvatureSettings, 'maxIterations' | 'tolerance'>;

/** A worker's work: blocks of one layer at one point. */
export interface ProbeJob extends Iteration {
  /** Names rows and network: jobs of the same name share what is worked out about them. */
  point: string;
  source: ProbeSource;
  layer: number;
  blocks: StartBlock[];
  /** How trials start: by method, or by what else tells them apart. */
  start: Record<string, StartJob>;
  /** The trial whose start is not the base model's function (it starts from a trained adapter). */
  moved?: {trial: Trial; start: string};
  /** Bytes for remembering batches. */
  remember: number;
}

export interface ProbeContext extends BaseContext {
  emit(event: RunEventBody): void;
  stopped(): boolean;
}

/** Residuals of both ends, relative: far beyond what the paper's rule asks for, at few more products. */
const accuracy = 3e-4;

/** Of float32. */
const resolution = 2 ** -23;

const segmentsOf = new WeakMap<Engine, Segments>();
/** The network probed last, for the next job at the same point. */
const networks = new WeakMap<Engine, {point: string; network: Network}>();

/** Probes the blocks of a job; each is told as soon as it is known. */
export async function probe(job: ProbeJob, context: ProbeContext): Promise<void> {
  const {weights, programs, config} = context;
  const {engine} = programs;
  const segments = segmentsFor(engine);
  let known = networks.get(engine);
  if (known?.point !== job.point) {
    const {moved} = job;
    const point = moved ? await startedFrom(moved.trial, job.start[moved.start]!, context) : weightsOf(weights);
    const batches = probeBatches(job.source);
    known = {point: job.point, network: new Network(segments, config, point, batches, {remember: job.remember})};
    networks.set(engine, known);
  }
  const {network} = known;
  const read = remembering(name => weightsOf(weights).read(name));
  const tasks = await Promise.all(
    job.blocks.map(async (wanted): Promise<ProbeTask[]> => {
      const {trial, site, batchSizes, full, layer, projection, start} = wanted;
      const block =
        full || trial.method === 'full'
          ? fullBlock(wanted, read)
          : await startBlock(wanted, {...job.start[start]!, weights, config, programs}, read);
      const row = {seed: trial.seed, step: 0, layer, module: projection};
      const live = liveIn(block);
      if (live?.every(mark => mark === 0)) return [];
      const task: ProbeTask = {
        block,
        ...(live ? {live} : {}),
        seed: trial.seed,
        site,
        done(result: Found) {
          for (const batchSize of batchSizes)
            context.emit({
              event: 'curvature',
              ...(full ? {method: 'full', rank: 0} : {method: trial.method, rank: trial.rank}),
              batchSize,
              ...row,
              ...result,
              ...(full ? ofBase(trial) : startOf(trial)),
            });
        },
      };
      return [task];
    }),
  );
  await probeBlocks(segments, network, tasks.flat(), job, context);
}

/** What the weights themselves depend on: model and rows, whatever a method has for itself. */
export function ofBase({model, settings = {}}: Trial): StartOf {
  const {targets: _, alpha: __, ...rows} = startSettings(settings) ?? {};
  return {
    ...(model !== undefined && {model}),
    ...(Object.keys(rows).length > 0 && {settings: rows}),
  };
}

/** What is found out about a block. */
export type Found = Pick<Probed, 'lambdaMax' | 'lambdaMin' | 'iterations' | 'residual' | 'preconditioned'>;

export interface ProbeTask {
  block: Block;
  /** Of the starting direction. */
  seed: number;
  site: Site;
  /** Of a block with pairs that are not in use, 1 for the numbers that are: only these are its parameters. */
  live?: Float64Array;
  /** P^-1/2 for the preconditioned operator, in the block's order. */
  preconditioner?: Float64Array;
  done(found: Found): void;
}

class Stopped extends Error {}

/**
 * Lanczos for blocks of one layer, in rounds over the batches. A block whose products are not finite gives a note.
 * Returns early where the context says stop.
 */
export async function probeBlocks(
  segments: Segments,
  network: Network,
  tasks: ProbeTask[],
  {maxIterations, tolerance}: Iteration,
  {emit, stopped}: Pick<ProbeContext, 'emit' | 'stopped'>,
): Promise<void> {
  const check = () => {
    if (stopped()) throw new Stopped();
  };
  const iterations = tasks.flatMap((task): Iterating[] => [
    {task, result: undefined},
    ...(task.preconditioner ? [{task, scaling: task.preconditioner, result: undefined}] : []),
  ]);
  /** A block is told as soon as all its iterations are done, while others go on. */
  const end = (iteration: Iterating, result: LanczosResult | null) => {
    iteration.result = result;
    const [plain, scaled] = iterations.filter(({task}) => task === iteration.task).map(own => own.result);
    if (plain === undefined || plain === null || (iteration.task.preconditioner && scaled === undefined)) return;
    iteration.task.done({
      lambdaMax: plain.largest.value,
      lambdaMin: plain.smallest.value,
      iterations: plain.iterations,
      // The products are float32, whatever the iteration thinks.
      residual: Math.max(plain.largest.residual, resolution * Math.abs(plain.largest.value)),
      ...(iteration.task.preconditioner ? {preconditioned: scaled?.largest.value ?? null} : {}),
    });
  };
  const run = async (iteration: Iterating, ask: (wanted: Wanted) => Promise<Float64Array>) => {
    const {block, seed, site, live} = iteration.task;
    const {scaling} = iteration;
    const drawn = random(seed, 'lanczos', site.name).normal(blockSize(block));
    const start = live ? times(live, drawn) : drawn;
    const factors = live && scaling ? times(live, scaling) : (scaling ?? live);
    const apply = async (vector: Float64Array) => {
      if (!factors) return ask({block, vector});
      return times(factors, await ask({block, vector: times(factors, vector)}));
    };
    // The tolerance of the sweep file is meant for the plain Hessian's scale.
    const options = {maxIterations, tolerance: scaling ? Number.POSITIVE_INFINITY : tolerance, accuracy};
    try {
      end(iteration, await lanczos(apply, start, options));
    } catch (error) {
      if (error instanceof Stopped) return;
      if (!(error instanceof SweepError && error.code === 'not-finite')) throw error;
      emit({event: 'note', message: `The curvature of ${site.name} is left out: its Hessian is not finite.`});
      end(iteration, null);
    }
  };
  const outcomes = await together(
    iterations.map(iteration => (ask: (wanted: Wanted) => Promise<Float64Array>) => run(iteration, ask)),
    (wanted: Wanted[]) => products(segments, network, wanted, check),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** One Lanczos iteration of a block, plain or preconditioned; `result` is null where it is not finite. */
interface Iterating {
  task: ProbeTask;
  scaling?: Float64Array;
  result: LanczosResult | null | undefined;
}

function times(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value * b[i]!);
}

export function segmentsFor(engine: Engine): Segments {
  let segments = segmentsOf.get(engine);
  if (segments === undefined) {
    segments = new Segments(engine);
    segmentsOf.set(engine, segments);
  }
  return segments;
}

/** The rows as batches whose weights make the loss the mean over all their tokens. */
export function probeBatches(source: ProbeSource): PackBatch[] {
  const {order, rows} = source;
  const batches = Array.from({length: Math.ceil(order.length / rows)}, (_, i) =>
    sideBySide(source, [order.subarray(i * rows, (i + 1) * rows)]),
  );
  const tokens = batches.reduce((sum, {weights}) => sum + weights.reduce((count, weight) => count + weight, 0), 0);
  return batches.map(batch => ({...batch, weights: batch.weights.map(weight => weight / tokens)}));
}

function remembering(read: (name: string) => Float32Array): (name: string) => Float32Array {
  const known = new Map<string, Float32Array>();
  return name => {
    const value = known.get(name) ?? read(name);
    known.set(name, value);
    return value;
  };
}

function fullBlock({layer, projection, site}: Place, read: (name: string) => Float32Array): Block {
  return {layer, projection, site, form: 'full', tensors: {W: read(`${site.name}.weight`)}};
}

/** What is trained at one site, where its trial starts. */
async function startBlock(
  {trial, site, layer, projection}: StartBlock,
  settings: StartSettings,
  read: (name: string) => Float32Array,
): Promise<Block> {
  const {sites} = settings;
  const method = methods[trial.method as AdapterMethodName];
  const form = formOf(trial);
  const vectors = await startingParameters(trial, {...settings, sites: [site], allSites: sites});
  const layout = trainedLayout([site], method, form);
  return methodBlock({layer, projection, site}, trial, sites, {
    parts: views(vectors.parameters, layout).get(site.name)!,
    shared: commonParts(vectors, layout, sharedLayout(sites, method, form)),
    read,
  });
}

/** A site's trained tensors as a block; all weights of a projection where those are trained. */
export function methodBlock(
  place: Place,
  trial: Trial,
  sites: readonly Site[],
  {parts, shared, read}: {parts: Parts; shared: Parts; read(name: string): Float32Array},
): Block {
  const {site} = place;
  if (trial.method === 'full') return {...place, form: 'full', tensors: {W: parts['weight']!}};
  const named = Object.entries(shared).map(([part, values]) => [sharedName(part), values] as const);
  return {
    ...place,
    form: {name: trial.method, method: methods[trial.method], form: formOf(trial), sites},
    tensors: {...parts, ...Object.fromEntries(named), W: read(`${site.name}.weight`)},
  };
}

/** Which numbers of a block are in use, where not all of them are: a projection whose rank is 0 has none. */
export function liveIn({form, site, tensors}: Block): Float64Array | null {
  const places = form === 'full' ? undefined : form.method.places?.(form.form);
  return places === undefined ? null : inUse(tensors, blockShapes(form, site), places);
}

/** The base with the start of a trial in it. */
async function startedFrom(trial: Trial, start: StartJob, base: BaseContext): Promise<Weights> {
  const {weights, config, programs} = base;
  const {parameters, shared} = await startingParameters(trial, {...start, weights, config, programs});
  const trained = {config, method: methodOf(trial), form: formOf(trial), sites: start.sites, parameters, shared};
  return trainedWeights(programs.engine, weightsOf(weights), trained);
}
