/** Probes on the way of a training: the Hessian at each trial's own point, plain and as Adam sees it. */
import type {Trial} from '../../core/sweep/sweep.ts';
import {commonParts, type Layout, views} from '../adaptation/layout.ts';
import {rateRatio} from '../step/rates.ts';
import type {Pack} from '../step/step.ts';
import {Network} from './network.ts';
import {trainedWeights, weightsOf} from './point.ts';
import {
  type Iteration,
  liveIn,
  methodBlock,
  type Place,
  type ProbeContext,
  type ProbeSource,
  type ProbeTask,
  probeBatches,
  probeBlocks,
  segmentsFor,
} from './probe.ts';
import {blockShapes} from './segments.ts';

export interface TrainingProbes extends Iteration {
  /** Updates after which to probe. */
  steps: number[];
  places: Place[];
  /** Rows by seed. */
  sources: Record<number, ProbeSource>;
  /** Bytes for remembering batches. */
  remember: number;
  /** Rows that are known from an earlier start. */
  known: string[];
}

export function probedKey(trial: string, step: number, layer: number, module: string): string {
  return `${trial} ${step} ${layer} ${module}`;
}

/** Probes every trial of a pack that still trains, at its parameters of now. */
export async function probeTrials(
  job: TrainingProbes,
  pack: Pack,
  trials: readonly Trial[],
  active: Float32Array,
  context: ProbeContext,
): Promise<void> {
  const snapshot = await pack.snapshot();
  const frozen = await pack.shared();
  const known = new Set(job.known);
  for (const [index, trial] of trials.entries()) {
    if (active[index] === 0) continue;
    const isKnown = ({layer, projection}: Place) => known.has(probedKey(trial.id, pack.count, layer, projection));
    const places = job.places.filter(place => !isKnown(place));
    if (places.length === 0) continue;
    const {layout, shared: common} = pack.adaptation;
    const of = (name: string, size = layout.size) => snapshot[name]?.subarray(index * size, (index + 1) * size);
    const shared = frozen?.subarray(index * common.size, (index + 1) * common.size);
    const vectors = {parameters: of('parameters')!, start: of('start'), second: of('second', layout.trained), shared};
    await probeTrial({...job, places}, pack, trial, vectors, context);
    if (context.stopped()) return;
  }
}

/** One trial's flat vectors. */
interface TrialVectors {
  parameters: Float32Array;
  start: Float32Array | undefined;
  /** Adam's second moment. */
  second: Float32Array | undefined;
  /** Frozen tensors that all sites share. */
  shared: Float32Array | undefined;
}

async function probeTrial(
  job: TrainingProbes,
  pack: Pack,
  trial: Trial,
  vectors: TrialVectors,
  context: ProbeContext,
): Promise<void> {
  const {config, weights, programs} = context;
  const segments = segmentsFor(programs.engine);
  const base = weightsOf(weights);
  const {parameters, shared, start} = vectors;
  const point = await trainedWeights(programs.engine, base, {...pack.settings, parameters, shared, start});
  const batches = probeBatches(job.sources[trial.seed]!);
  const network = new Network(segments, config, point, batches, {remember: job.remember});
  const tasks = job.places
    .map(place => taskAt(place, pack, trial, vectors, base.read, context))
    .filter(({live}) => !live?.every(mark => mark === 0));
  for (const layer of new Set(job.places.map(place => place.layer))) {
    const own = tasks.filter(({block}) => block.layer === layer);
    await probeBlocks(segments, network, own, job, context);
    if (context.stopped()) return;
  }
}

/** The probe of one block at a trial's parameters of now; what it finds is an event. */
function taskAt(
  {site, layer, projection}: Place,
  pack: Pack,
  trial: Trial,
  {parameters, second, shared}: TrialVectors,
  read: ReturnType<typeof weightsOf>['read'],
  context: ProbeContext,
): ProbeTask {
  const {layout, shared: common} = pack.adaptation;
  const step = pack.count;
  const name = trial.method === 'full' ? `${site.name}.weight` : site.name;
  const block = methodBlock({site, layer, projection}, trial, pack.settings.sites, {
    parts: views(parameters, layout).get(name)!,
    shared: commonParts({parameters, shared}, layout, common),
    read,
  });
  const parts = Object.keys(blockShapes(block.form, site)).map(part => (part === 'W' ? 'weight' : part));
  const preconditioner = second && asAdamSees(second, layout, {site: name, parts}, step, settingsOfAdam(pack));
  const {method, rank, batchSize, seed, id, learningRate} = trial;
  const live = liveIn(block);
  return {
    block,
    ...(live ? {live} : {}),
    seed,
    site,
    ...(preconditioner ? {preconditioner} : {}),
    done: found =>
      context.emit({
        event: 'curvature',
        ...{method, rank, batchSize, seed, step, layer},
        module: projection,
        ...found,
        trial: id,
        learningRate,
      }),
  };
}

interface AdamSettings {
  beta2: number;
  eps: number;
  /** What a tensor's learning rate is relative to the trial's. */
  rateRatio(part: string): number;
}

function settingsOfAdam({settings}: Pack): AdamSettings {
  const {betas, eps} = settings.training.optimizer;
  return {beta2: betas[1], eps, rateRatio: part => rateRatio(part, settings.form)};
}

/**
 * P^-1/2 with P = √v̂ + ε of a block's tensors (Cohen et al. 2022, Adaptive Gradient Methods at the Edge of Stability);
 * where tensors have a multiple of the learning rate, P is divided by it.
 */
function asAdamSees(
  second: Float32Array,
  {pieces}: Layout,
  block: {site: string; parts: string[]},
  step: number,
  {beta2, eps, rateRatio}: AdamSettings,
): Float64Array {
  const correction = 1 - beta2 ** step;
  const parts = block.parts.map(part => {
    const {offset, size} = pieces.find(piece => piece.site === block.site && piece.part === part)!;
    const ratio = rateRatio(part);
    return Float64Array.from(
      second.subarray(offset, offset + size),
      moment => Math.sqrt(ratio) / Math.sqrt(Math.sqrt(moment / correction) + eps),
    );
  });
  return Float64Array.from(parts.flatMap(part => [...part]));
}
