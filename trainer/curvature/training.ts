/** Probes on the way of a training: the Hessian at each trial's own point, plain and as Adam sees it. */
import type {Trial} from '../../core/sweep/sweep.ts';
import {methods} from '../method/index.ts';
import {type Layout, views} from '../method/layout.ts';
import type {Pack} from '../step.ts';
import {Network} from './network.ts';
import {adaptedWeights, weightsOf} from './point.ts';
import {
  adaptersOf,
  type Iteration,
  type Place,
  type ProbeContext,
  type ProbeSource,
  type ProbeTask,
  probeBatches,
  probeBlocks,
  segmentsFor,
} from './probe.ts';

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
  const {config, weights, programs} = context;
  const snapshot = await pack.snapshot();
  const {layout, settings} = pack.adaptation;
  const step = pack.count;
  const segments = segmentsFor(programs.engine);
  const known = new Set(job.known);
  for (const [index, trial] of trials.entries()) {
    if (active[index] === 0) continue;
    const places = job.places.filter(({layer, projection}) => !known.has(probedKey(trial.id, step, layer, projection)));
    if (places.length === 0) continue;
    const of = (name: string) => snapshot[name]?.subarray(index * layout.size, (index + 1) * layout.size);
    const parameters = of('parameters')!;
    const base = weightsOf(weights);
    const point = adaptedWeights(base, adaptersOf(parameters, settings.sites, trial, of('start')));
    const batches = probeBatches(job.sources[trial.seed]!);
    const network = new Network(segments, config, point, batches, {remember: job.remember});
    const factors = views(parameters, layout);
    const second = of('second');
    const tasks = places.map((place): ProbeTask => {
      const {site, layer, projection} = place;
      const {A, B, magnitude} = factors.get(site.name)!;
      const method = methods[trial.method];
      const preconditioner = second && asAdamSees(second, layout, site.name, step, settingsOfAdam(pack));
      return {
        block: {
          layer,
          projection,
          site,
          form: {rank: trial.rank, scale: trial.alpha / trial.rank, method},
          tensors: {A, B, W: base.read(`${site.name}.weight`), ...(magnitude ? {magnitude} : {})},
        },
        seed: trial.seed,
        site,
        ...(preconditioner ? {preconditioner} : {}),
        done: found =>
          context.emit({
            event: 'curvature',
            method: trial.method,
            rank: trial.rank,
            batchSize: trial.batchSize,
            seed: trial.seed,
            step,
            layer,
            module: projection,
            ...found,
            trial: trial.id,
            learningRate: trial.learningRate,
          }),
      };
    });
    for (const layer of new Set(places.map(place => place.layer))) {
      const own = tasks.filter(({block}) => block.layer === layer);
      await probeBlocks(segments, network, own, job, context);
      if (context.stopped()) return;
    }
  }
}

interface AdamSettings {
  beta2: number;
  eps: number;
}

function settingsOfAdam({settings}: Pack): AdamSettings {
  const {betas, eps} = settings.training.optimizer;
  return {beta2: betas[1], eps};
}

/** P^-1/2 with P = √v̂ + ε of a block's A and B (Cohen et al. 2022, Adaptive Gradient Methods at the Edge of Stability). */
function asAdamSees(
  second: Float32Array,
  {pieces}: Layout,
  site: string,
  step: number,
  {beta2, eps}: AdamSettings,
): Float64Array {
  const correction = 1 - beta2 ** step;
  const parts = ['A', 'B'].map(part => {
    const {offset, size} = pieces.find(piece => piece.site.name === site && piece.part === part)!;
    return second.subarray(offset, offset + size);
  });
  return Float64Array.from(
    parts.flatMap(part => [...part]),
    moment => 1 / Math.sqrt(Math.sqrt(moment / correction) + eps),
  );
}
