import {join} from 'node:path';
import {views} from '../adaptation/layout.ts';
import {withoutUnused} from '../adaptation/pairs-in-use.ts';
import {hashAdapter} from '../adapter/hash-adapter.ts';
import {kindOf} from '../adapter/peft-formats.ts';
import {writeAdapter} from '../adapter/write-adapter.ts';
import {writeTrainedModel} from '../export/trained-model.ts';
import {insideRun} from '../files/write-whole.ts';
import type {Parts} from '../method/form.ts';
import type {BaseContext} from '../step/base.ts';
import type {Pack} from '../step/step.ts';
import {checkpointsName, saveCheckpoint} from '../store/checkpoint.ts';
import {modelsName} from '../store/names.ts';
import type {TrainContext} from './context.ts';
import {idsOf, type PackRun, type TrainJob} from './open-pack.ts';

export async function save(
  job: TrainJob,
  context: TrainContext,
  {pack, active, last, recent}: PackRun,
  seconds: number,
): Promise<void> {
  const tensors = await pack.snapshot();
  const events = await context.stored();
  const {losses, gradNorms} = last;
  const checkpoint = {step: pack.count, tensors, active, losses, gradNorms, recent: recent.values(), seconds, events};
  saveCheckpoint(join(job.folder, checkpointsName), idsOf(job), checkpoint);
}

/**
 * Writes what the finished trials have learnt: adapters in PEFT's format, or model folders where all weights were
 * trained. Returns the adapters' hashes by trial.
 */
export async function saveAdapters(
  job: TrainJob,
  pack: Pack,
  active: Float32Array,
  base: BaseContext,
): Promise<Map<string, string>> {
  const {layout, shared: common} = pack.adaptation;
  const {method, config, form, sites} = pack.settings;
  const shapes =
    method === 'full'
      ? undefined
      : new Map([
          ['', method.common?.(form) ?? {}],
          ...sites.map(site => [site.name, method.shapes(site, form)] as const),
        ]);
  const snapshot = await pack.snapshot();
  const frozen = await pack.shared();
  const of = (values: Float32Array, trial: number, own = layout) =>
    views(values.subarray(trial * own.size, (trial + 1) * own.size), own);
  const hashes = new Map<string, string>();
  for (const [i, trial] of job.trials.entries()) {
    if (active[i] === 0) continue;
    if (method === 'full' || trial.method === 'full') {
      const folder = join(insideRun(job.folder, modelsName), trial.id);
      const card = `The trial \`${trial.id}\`: all weights of ${job.base.model} trained by LoRA Sweep.\n`;
      hashes.set(trial.id, await writeTrainedModel(folder, base.weights, of(snapshot['parameters']!, i), card));
      continue;
    }
    const folder = join(insideRun(job.folder, 'adapters'), trial.id);
    const all = of(snapshot['parameters']!, i);
    const {factors, ranks} = writtenParts(new Map([...all].filter(([site]) => site !== '')), pack.settings);
    writeAdapter(folder, {
      base: job.base,
      kind: kindOf(trial.method),
      modulePath: config.modulePath,
      rank: trial.rank,
      alpha: trial.alpha,
      options: method.allocates ? {...form.options, total_step: job.steps} : form.options,
      factors,
      ranks,
      ...(shapes ? {shapes} : {}),
      shared: {...(frozen ? of(frozen, i, common).get('') : {}), ...all.get('')},
      ...(method.residual ? {residual: {method: trial.method, start: of(snapshot['start']!, i)}} : {}),
    });
    hashes.set(trial.id, await hashAdapter(folder));
  }
  return hashes;
}

/** What an adapter holds of each site, and the ranks that are not the trial's. */
function writtenParts(
  all: ReadonlyMap<string, Parts>,
  {method, form}: Pick<Pack['settings'], 'method' | 'form'>,
): {factors: ReadonlyMap<string, Parts>; ranks: Map<string, number>} {
  const places = method === 'full' ? undefined : method.places?.(form);
  if (places === undefined) return {factors: all, ranks: new Map()};
  const sites = [...all].map(([name, parts]) => ({name, ...withoutUnused(parts, places)})).filter(({rank}) => rank > 0);
  return {
    factors: new Map(sites.map(({name, parts}) => [name, parts])),
    ranks: new Map(sites.flatMap(({name, rank}) => (rank === form.rank ? [] : [[name, rank]]))),
  };
}
