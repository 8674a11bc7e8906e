/** Which blocks a sweep probes, cut into jobs for the workers. */
import {SweepError} from '../../core/error.ts';
import type {RunState} from '../../core/run/fold.ts';
import {settingOf} from '../../core/sweep/axes/axes.ts';
import {type CurvatureSettings, orderSeedOf, type Trial} from '../../core/sweep/sweep.ts';
import {probedKey, type TrainingProbes} from '../curvature/along-training.ts';
import {blockSize} from '../curvature/hessian.ts';
import type {Place, ProbeJob, StartBlock} from '../curvature/probe.ts';
import {formOf, methodOf, methods} from '../method/index.ts';
import type {Projection} from '../model/projections.ts';
import {allocatedCores, allocatedMemory} from '../process/allocation.ts';
import {startsFromBatches} from '../step/weight-gradients.ts';
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
 * Whether what is probed at the start is known by method, rank, batch size and seed.
 * @throws SweepError `not-yet` for trials that differ by more than how they are trained
 */
export function checkProbed(trials: readonly Trial[]): void {
  const axes = ['model', 'data', 'data.rows', 'data.max_length', 'data.template', 'targets', 'alpha'];
  const key = axes.find(axis => trials.some(trial => settingOf(trial, axis) !== undefined));
  const what = key ?? (trials.some(({name}) => name !== undefined) ? 'methods under names of their own' : undefined);
  if (what !== undefined)
    throw new SweepError(
      'not-yet',
      `The curvature cannot be probed yet where the sweep has several values of ${what}: leave one of them, or remove 'curvature'.`,
    );
}

export interface ProbePlan {
  jobs: ProbeJob[];
  /** Rows that will be told. */
  rows: number;
}

/** The probes at the start of these trials whose rows are not known yet; costly layers first. */
export function planProbes(
  prepared: Prepared,
  curvature: CurvatureSettings,
  trials: readonly Trial[],
  isKnown: (row: StartRow) => boolean,
  workers: number,
): ProbePlan {
  if (!curvature.at.includes(0)) return {jobs: [], rows: 0};
  const wanted = new Map<string, {blocks: StartBlock[]; job: Omit<ProbeJob, 'layer' | 'blocks'>}>();
  const places = probedPlaces(prepared, curvature);
  const start = Object.fromEntries(
    [...new Map(trials.map(trial => [trial.method, trial])).values()].map(
      trial => [trial.method, startSettings(prepared, trial)] as const,
    ),
  );
  for (const {trial, batchSizes, full} of groupsOf(trials, curvature.full)) {
    const method = methodOf(trial);
    const moved = !full && start[trial.method]!.startFrom !== undefined && method !== 'full' && !method.residual;
    const {seed} = trial;
    const rows = prepared.sweep.data.shuffle ? `seed ${orderSeedOf(trial)}` : 'file order';
    const point = moved ? `${rows} ${trial.method} r${trial.rank} s${seed}` : rows;
    let group = wanted.get(point);
    if (!group) {
      const {maxIterations, tolerance} = curvature;
      const source = prepared.probeSource(orderSeedOf(trial));
      const remember = rememberedBytes(workers);
      group = {
        blocks: [],
        job: {point, source, start, maxIterations, tolerance, remember, ...(moved ? {moved: trial} : {})},
      };
      wanted.set(point, group);
    }
    for (const place of places) {
      const row = {seed, step: 0, layer: place.layer, module: place.projection};
      const named = full ? {method: 'full', rank: 0} : {method: trial.method, rank: trial.rank};
      const missing = batchSizes.filter(batchSize => !isKnown({...named, batchSize, ...row}));
      if (missing.length > 0) group.blocks.push({...place, trial, batchSizes: missing, full});
    }
  }
  const jobs = [...wanted.values()].flatMap(({blocks, job}) => cut(blocks, workers).map(part => ({...job, ...part})));
  const rows = jobs.reduce((sum, job) => sum + job.blocks.reduce((own, block) => own + block.batchSizes.length, 0), 0);
  return {jobs, rows};
}

/** What a row at the start is of. */
export type StartRow = Pick<
  RunState['curvature'][number],
  'method' | 'rank' | 'batchSize' | 'seed' | 'step' | 'layer' | 'module'
>;

export function startKey(row: StartRow): string {
  return JSON.stringify([row.method, row.rank, row.batchSize, row.seed, row.step, row.layer, row.module]);
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
  const all = prepared.of(trials[0]!).steps(trials[0]!.batchSize);
  const steps = [...new Set(curvature.at.map(fraction => Math.round(fraction * all)))].filter(step => step > 0);
  if (steps.length === 0) return {};
  const {maxIterations, tolerance} = curvature;
  const known = earlier.curvature.filter(row => trials.some(({id}) => id === row.trial));
  return {
    curvature: {
      steps,
      maxIterations,
      tolerance,
      places: probedPlaces(prepared, curvature),
      sources: Object.fromEntries(trials.map(trial => [trial.seed, prepared.probeSource(orderSeedOf(trial))])),
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
    if (method !== 'full') add(JSON.stringify([trial.method, trial.rank, trial.seed, rows]), trial, false);
    if (full || method === 'full') add(`full ${trial.seed}`, trial, true);
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
