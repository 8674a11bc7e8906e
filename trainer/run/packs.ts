/** Trials that can share one step function, how many go side by side, and what a worker is told about them. */
import {grouped} from '../../core/grouped.ts';
import {plainKey} from '../../core/sweep/axes/axes.ts';
import {type MethodSettings, nameOf, type RunSettings, type Sweep, type Trial} from '../../core/sweep/sweep.ts';
import {adapterBase} from '../adapter/base.ts';
import {checkSites} from '../method/check.ts';
import {formOf, methodOf, startsFromRows} from '../method/index.ts';
import {allocatedCores} from '../process/allocation.ts';
import {type DeviceRoom, heaviest, type MemoryPlan, planDevice, planMemory, trialsThatFit} from '../size/memory.ts';
import {checkBudget} from '../step/allocation.ts';
import {checkReadable} from '../step/inputs.ts';
import {checkWritable} from '../store/model-folder.ts';
import type {TrainJob} from '../training/open-pack.ts';
import type {Prepared} from './prepare.ts';

/** Trials side by side on the trials axis of one step. */
export type TrialPack = Trial[];

/**
 * Groups trials that differ by learning rate and seed only; `auto` is one trial a pack, which is fastest on a CPU.
 * `stepOf`: where a trial goes on, so that only those of one step share a pack.
 */
export function packsOf(
  trials: Trial[],
  size: RunSettings['pack'],
  stepOf: (trial: Trial) => number = () => 0,
): TrialPack[] {
  const groups = grouped(
    trials,
    trial => `${nameOf(trial)} ${trial.rank} ${trial.alpha} ${trial.batchSize} ${plainKey(trial)} ${stepOf(trial)}`,
  );
  const asked = size === 'auto' ? 1 : size;
  return [...groups.values()].flatMap(group => {
    // Trials that train all weights share nothing that could be computed once.
    const most = group[0]!.method === 'full' ? 1 : asked;
    return Array.from({length: Math.ceil(group.length / most)}, (_, i) => group.slice(i * most, (i + 1) * most));
  });
}

/** Packs that differ in work by less than this factor stay in the order of the sweep. */
const telling = 1.5;

/** The longest work first, so that no worker is left with it at the end; of like length in the order given. */
export function longestFirst<Work>(works: readonly Work[], sizeOf: (work: Work) => number): Work[] {
  const size = new Map(works.map(work => [work, Math.round(Math.log(Math.max(1, sizeOf(work))) / Math.log(telling))]));
  return works.toSorted((a, b) => size.get(b)! - size.get(a)!);
}

export interface Arrangement extends MemoryPlan {
  packs: TrialPack[];
  /** Trials of a pack, at most. */
  side: number;
}

/** Workers side by side, at most: as asked for, else one a core, and one for a GPU. */
export function coresFor({engine, gpu}: {engine: string; gpu?: unknown}, workers: RunSettings['workers']): number {
  if (gpu !== undefined) return 1;
  if (workers !== 'auto') return workers;
  return engine === 'tfjs-node-gpu' ? 1 : allocatedCores();
}

/**
 * Packs and workers for these trials: as the sweep file asks, as far as memory allows. On a GPU packs are as large as
 * its memory has room for. `cores`: workers at most where the file does not say.
 * @throws SweepError `no-memory` where not even one trial fits
 */
export function arrange(
  prepared: Prepared,
  trials: Trial[],
  device?: DeviceRoom,
  stepOf?: (trial: Trial) => number,
  cores = allocatedCores(),
): Arrangement {
  const parts = [...grouped(trials, trial => prepared.of(trial))].map(([part, own]) =>
    arrangePart(part, own, device, stepOf, cores),
  );
  const [first, ...others] = parts;
  if (!first) return arrangePart(prepared, trials, device, stepOf, cores);
  return others.length === 0 ? first : together(parts, cores);
}

/** Trials with different settings, side by side on the same workers: as many as the most demanding ones leave room for. */
function together(parts: readonly Arrangement[], cores: number): Arrangement {
  const packs = parts.flatMap(part => part.packs);
  // Few packs of one setting need few workers; all together may need more.
  const limits = parts.filter(part => part.workers < Math.min(cores, part.packs.length));
  const workers = Math.min(cores, packs.length, ...limits.map(part => part.workers));
  const each = Math.max(...parts.map(({bytes, workers: own}) => bytes / Math.max(1, own)));
  return {
    packs,
    side: Math.min(...parts.map(({side}) => side)),
    workers,
    threads: Math.max(1, Math.floor(cores / Math.max(1, workers))),
    bytes: Math.max(...parts.map(({bytes}) => bytes), each * workers),
    notes: [...new Set(parts.flatMap(({notes}) => notes))],
  };
}

/** Trials that are trained with the same settings. */
function arrangePart(
  prepared: Prepared,
  trials: Trial[],
  device: DeviceRoom | undefined,
  stepOf: ((trial: Trial) => number) | undefined,
  cores: number,
): Arrangement {
  const {run} = prepared.sweep;
  const sources = [...new Set(trials.map(trial => trial.batchSize))].map(size => prepared.source(size));
  const kinds = sources.map(({rows, shapes}) => shapes.map(shape => ({rows, ...shape})));
  const steps = heaviest(prepared.size, kinds);
  const asked = packsOf(trials, device && run.pack === 'auto' ? trials.length || 1 : run.pack, stepOf);
  const widest = Math.max(1, ...asked.map(pack => pack.length));
  const side = Math.min(widest, trialsThatFit(prepared.size, steps, device));
  const packs = side < widest ? packsOf(trials, side, stepOf) : asked;
  const plan = device
    ? planDevice(prepared.size, steps, side, run.workers)
    : planMemory(prepared.size, steps, side, packs.length, run.workers, cores);
  const split =
    side < widest && run.pack !== 'auto'
      ? [`Packs of ${widest} trials do not fit in memory; they are split into packs of ${side}.`]
      : [];
  return {...plan, packs, side, notes: [...split, ...plan.notes]};
}

/**
 * Whether the model can be trained in all of these ways.
 * @throws SweepError `rank-too-large`, `bad-blocks`, `bad-model`, `bad-data`
 */
export function checkTrials(prepared: Prepared, trials: readonly Trial[]): void {
  const different = new Map(trials.map(trial => [`${trial.method} ${trial.rank} ${plainKey(trial)}`, trial]));
  for (const trial of different.values()) {
    const {sites, model} = prepared.of(trial);
    const method = methodOf(trial);
    if (method === 'full') checkWritable(model.weights);
    else checkSites(sites, method, formOf(trial));
    if (method !== 'full' && method.allocates) checkBudget(prepared.of(trial).steps(trial.batchSize), formOf(trial));
    if (startsFromRows(trial.method) && settingsOf(prepared.of(trial).sweep, trial).startFrom === undefined)
      checkReadable(trial, prepared.of(trial).source(trial.batchSize));
  }
}

/** The settings of a trial's method, as its variant has them. */
export function settingsOf({methods}: Pick<Sweep, 'methods'>, trial: Pick<Trial, 'method' | 'name'>): MethodSettings {
  return methods.find(settings => nameOf(settings) === nameOf(trial))!;
}

/** How a trial starts. */
export function startSettings(whole: Prepared, trial: Trial): TrainJob['start'] {
  const prepared = whole.of(trial);
  const {iterations, startFrom, batchSizes} = settingsOf(prepared.sweep, trial);
  return {
    sites: prepared.sites,
    ...(startsFromRows(trial.method)
      ? {sources: Object.fromEntries(batchSizes.map(size => [size, prepared.source(size)]))}
      : {}),
    iterations,
    startFrom: startFrom && prepared.pathOf(startFrom),
  };
}

/** Everything a worker needs to train a pack; `until`: up to that step, where they pause. */
export function trainJob(whole: Prepared, trials: TrialPack, folder: string, until?: number): TrainJob {
  const [trial] = trials as [Trial];
  const prepared = whole.of(trial);
  const {sweep} = prepared;
  const {batchSize} = trial;
  return {
    trials,
    training: sweep.training,
    steps: prepared.steps(batchSize),
    until,
    source: prepared.source(batchSize),
    start: startSettings(prepared, trial),
    merged: prepared.size.merged,
    recompute: prepared.size.recompute,
    evaluations: prepared.evaluations,
    folder,
    base: adapterBase(prepared.model.folder),
  };
}
