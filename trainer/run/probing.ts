/** Which blocks a sweep probes, cut into jobs for the workers. */
import {SweepError} from '../../core/error.ts';
import {grouped} from '../../core/grouped.ts';
import {startOf, startText} from '../../core/run/compare/starts.ts';
import type {RunState} from '../../core/run/fold.ts';
import {type CurvatureSettings, orderSeedOf, type Trial} from '../../core/sweep/sweep.ts';
import {probedKey, type TrainingProbes} from '../curvature/along-training.ts';
import {blockSize} from '../curvature/hessian.ts';
import {ofBase, type Place, type ProbeJob, type StartBlock} from '../curvature/probe.ts';
import {formOf, methodOf, methods} from '../method/index.ts';
import type {Projection} from '../model/projections.ts';
import {allocatedCores, allocatedMemory} from '../process/allocation.ts';
import {startsFromBatches} from '../step/weight-gradients.ts';
import {type Ground, groundsOf, type Whole} from './grounds.ts';
import {startSettings} from './packs.ts';
import type {Prepared} from './prepare.ts';

/** Of the machine's memory, what all workers together may spend on remembering batches. */
const rememberShare = 0.3;
/** Of Lanczos vectors that iterate side by side in one job. */
const basisBytes = 1e9;
/** Of a block, about. */
export const usualIterations = 60;

/** Bytes that each of so many workers may remember. */
export function rememberedBytes(workers: number): number {
  return Math.floor((rememberShare * allocatedMemory()) / workers);
}

/**
 * The projections that `curvature.blocks` asks for.
 * @throws SweepError `unknown-target` for modules or layers that the sweep does not adapt
 */
export function probedPlaces({sites, model}: Pick<Prepared, 'sites' | 'model'>, {blocks}: CurvatureSettings): Place[] {
  const all = sites.map(site => {
    const [, layer] = /^model\.layers\.(\d+)\./.exec(site.name)!;
    const projection = site.name.slice(site.name.lastIndexOf('.') + 1) as Projection;
    return {site, layer: Number(layer), projection};
  });
  if (blocks === 'all') return all;
  const {layers, modules} = Array.isArray(blocks) ? {layers: undefined, modules: blocks} : blocks;
  const unknown = modules.find(module => !all.some(({projection}) => projection === module));
  if (unknown !== undefined) {
    const adapted = model.config.projections.filter(name => all.some(({projection}) => projection === name));
    throw new SweepError(
      'unknown-target',
      `curvature.blocks names ${unknown}, which is not adapted here; choose among ${adapted.join(', ')}.`,
    );
  }
  const beyond = layers?.find(layer => layer >= model.config.layers.length);
  if (beyond !== undefined)
    throw new SweepError(
      'unknown-target',
      `curvature.blocks names layer ${beyond}, but the model's layers are 0 to ${model.config.layers.length - 1}.`,
    );
  return all.filter(
    ({layer, projection}) => modules.includes(projection) && (layers === undefined || layers.includes(layer)),
  );
}

/**
 * The projections that are probed of every trial. Under several choices of targets each has those of the blocks that it adapts.
 * @throws SweepError `unknown-target` for modules or layers that no trial has
 */
export function checkProbed(prepared: Prepared, curvature: CurvatureSettings, trials: readonly Trial[]): void {
  const parts = [...new Set(trials.map(trial => prepared.of(trial)))];
  const faults: unknown[] = [];
  for (const part of parts.length > 0 ? parts : [prepared]) {
    try {
      probedPlaces(part, curvature);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length === Math.max(1, parts.length)) throw faults[0];
}

/** The same for one trial: none where its targets have none of the blocks. */
function placesFor(prepared: Prepared, {blocks, ...curvature}: CurvatureSettings): Place[] {
  if (blocks === 'all') return probedPlaces(prepared, {...curvature, blocks});
  const {layers, modules} = Array.isArray(blocks) ? {layers: undefined, modules: blocks} : blocks;
  const adapted = modules.filter(module => prepared.sites.some(({name}) => name.endsWith(`.${module}`)));
  const there = layers?.filter(layer => layer < prepared.model.config.layers.length);
  return probedPlaces(prepared, {...curvature, blocks: there ? {layers: there, modules: adapted} : adapted});
}

export interface ProbePlan {
  /** By ground: workers hold one at a time. */
  phases: {ground: Ground; trials: Trial[]; jobs: ProbeJob[]}[];
  /** Jobs of all of them. */
  jobs: ProbeJob[];
  /** Rows that will be told. */
  rows: number;
}

/** The probes at the start of these trials whose rows are not known yet; costly layers first. */
export function planProbes(
  run: Whole,
  curvature: CurvatureSettings,
  trials: readonly Trial[],
  isKnown: (row: StartRow) => boolean,
  workers: number,
): ProbePlan {
  if (!curvature.at.includes(0)) return {phases: [], jobs: [], rows: 0};
  const phases = [...grouped(trials, groundsOf(run))].map(([ground, own]) => {
    const jobs = [...wantedOf(run.prepared, curvature, own, {isKnown, workers})].flatMap(({blocks, job}) =>
      cut(blocks, workers).map(part => ({...job, ...part})),
    );
    return {ground, trials: own, jobs};
  });
  const jobs = phases.flatMap(phase => phase.jobs);
  const rows = jobs.reduce((sum, job) => sum + job.blocks.reduce((own, block) => own + block.batchSizes.length, 0), 0);
  return {phases, jobs, rows};
}

/** Blocks that are looked at over the same rows and network. */
interface WantedPoint {
  blocks: StartBlock[];
  job: Omit<ProbeJob, 'layer' | 'blocks'>;
}

/** What is to be probed on one ground. */
function wantedOf(
  prepared: Prepared,
  curvature: CurvatureSettings,
  trials: readonly Trial[],
  {isKnown, workers}: {isKnown: (row: StartRow) => boolean; workers: number},
): Iterable<WantedPoint> {
  const wanted = new Map<string, WantedPoint>();
  const {maxIterations, tolerance, full: withWeights} = curvature;
  const starts = Object.fromEntries(
    [...new Map(trials.map(trial => [startName(trial), trial]))].map(
      ([name, trial]) => [name, startSettings(prepared, trial)] as const,
    ),
  );
  for (const {trial, batchSizes, full} of groupsOf(trials, withWeights)) {
    const part = prepared.of(trial);
    const method = methodOf(trial);
    const start = startName(trial);
    const moved = !full && starts[start]!.startFrom !== undefined && method !== 'full' && !method.residual;
    const {seed} = trial;
    const {data} = part.sweep;
    const order = data.shuffle ? `seed ${orderSeedOf(trial)}` : 'file order';
    const rows = `${order} ${JSON.stringify([data, part.sweep.curvature?.data ?? null])}`;
    const point = moved ? `${rows} ${start} r${trial.rank} s${seed}` : rows;
    let group = wanted.get(point);
    if (!group) {
      const source = part.probeSource(orderSeedOf(trial));
      const remember = rememberedBytes(workers);
      const base = {point: `${part.model.path} ${point}`, source, start: starts, maxIterations, tolerance, remember};
      group = {blocks: [], job: {...base, ...(moved ? {moved: {trial, start}} : {})}};
      wanted.set(point, group);
    }
    for (const place of placesFor(part, curvature)) {
      const row = {seed, step: 0, layer: place.layer, module: place.projection};
      const named = full
        ? {method: 'full', rank: 0, ...ofBase(trial)}
        : {method: trial.method, rank: trial.rank, ...startOf(trial)};
      const missing = batchSizes.filter(batchSize => !isKnown({...named, batchSize, ...row}));
      if (missing.length > 0) group.blocks.push({...place, trial, batchSizes: missing, start, full});
    }
  }
  return wanted.values();
}

/** Trials that start alike but for rank and seed. */
const startName = (trial: Trial): string => `${trial.method} ${startText(trial)}`;

/** What a row at the start is of. */
export type StartRow = Pick<
  RunState['curvature'][number],
  'method' | 'rank' | 'batchSize' | 'seed' | 'step' | 'layer' | 'module' | 'name' | 'model' | 'settings'
>;

export function startKey(row: StartRow): string {
  const {method, rank, batchSize, seed, step, layer, module} = row;
  return JSON.stringify([method, rank, batchSize, seed, step, layer, module, startText(row)]);
}

/**
 * The probes of a pack behind its first step. Rows that an earlier start left are not made again: a training that goes
 * on comes to the same point.
 */
export function trainingProbes(
  prepared: Prepared,
  trials: readonly Trial[],
  earlier: RunState,
): {curvature?: TrainingProbes} {
  const {curvature} = prepared.sweep;
  if (!curvature) return {};
  const part = prepared.of(trials[0]!);
  const all = part.steps(trials[0]!.batchSize);
  const steps = [...new Set(curvature.at.map(fraction => Math.round(fraction * all)))].filter(step => step > 0);
  if (steps.length === 0) return {};
  const {maxIterations, tolerance} = curvature;
  const known = earlier.curvature.filter(row => trials.some(({id}) => id === row.trial));
  return {
    curvature: {
      steps,
      maxIterations,
      tolerance,
      places: placesFor(part, curvature),
      sources: Object.fromEntries(trials.map(trial => [trial.seed, part.probeSource(orderSeedOf(trial))])),
      // Beside a training, which was promised its share.
      remember: rememberedBytes(3 * allocatedCores()),
      known: known.map(({trial, step, layer, module}) => probedKey(trial!, step, layer, module)),
    },
  };
}

/** Trials that start at the same point: learning rate and batch size do not matter there. */
function groupsOf(trials: readonly Trial[], full: boolean): Pick<StartBlock, 'trial' | 'batchSizes' | 'full'>[] {
  const groups = new Map<string, Pick<StartBlock, 'trial' | 'batchSizes' | 'full'>>();
  const add = (key: string, trial: Trial, isFull: boolean) => {
    const group = groups.get(key) ?? {trial, batchSizes: [], full: isFull};
    if (!group.batchSizes.includes(trial.batchSize)) group.batchSizes.push(trial.batchSize);
    groups.set(key, group);
  };
  for (const trial of trials) {
    const method = methodOf(trial);
    // A start made of the gradients of the first batches depends on their rows.
    const rows = method !== 'full' && method.gradient && startsFromBatches(trial) ? trial.batchSize : 0;
    if (method !== 'full')
      add(JSON.stringify([trial.method, trial.rank, trial.seed, rows, startText(trial)]), trial, false);
    if (full || method === 'full') add(`full ${trial.seed} ${startText(ofBase(trial))}`, trial, true);
  }
  return [...groups.values()];
}

/**
 * Jobs of one layer each, the first layers (with the most network behind them) first. A layer is divided where there
 * would be less than two jobs a worker, or where its Lanczos vectors would take too much memory.
 */
function cut(blocks: StartBlock[], workers: number): Pick<ProbeJob, 'layer' | 'blocks'>[] {
  const layers = [...new Set(blocks.map(({layer}) => layer))].sort((a, b) => a - b);
  const parts = Math.max(1, Math.ceil((2 * workers) / Math.max(1, layers.length)));
  return layers.flatMap(layer => {
    const own = blocks.filter(block => block.layer === layer);
    const bytes = own.reduce((sum, block) => sum + vectorBytes(block), 0);
    const count = Math.min(own.length, Math.max(parts, Math.ceil(bytes / basisBytes)));
    const size = Math.ceil(own.length / count);
    return Array.from({length: Math.ceil(own.length / size)}, (_, i) => ({
      layer,
      blocks: own.slice(i * size, (i + 1) * size),
    }));
  });
}

function vectorBytes({site, trial, full}: StartBlock): number {
  const {method: name} = trial;
  const form =
    full || name === 'full' ? ('full' as const) : {name, method: methods[name], form: formOf(trial), sites: [site]};
  return 8 * usualIterations * blockSize({form, site});
}
