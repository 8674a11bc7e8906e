/** The training of one pack, from its starting factors to its adapters. */
import {join} from 'node:path';
import type {Curves, RunEventBody} from '../core/run/events.ts';
import type {TrainingSettings, Trial} from '../core/sweep/sweep.ts';
import {packBatches, type TrainingSource, tokensOf} from './batches.ts';
import {probeTrials, type TrainingProbes} from './curvature/training.ts';
import {needsRoom} from './engine/device-errors.ts';
import type {Programs} from './engine/programs.ts';
import {type Evaluation, evaluatePack, type Generated} from './evaluate.ts';
import {modelsName, writeTrainedModel} from './export/trained-model.ts';
import {rateAt} from './math/schedule.ts';
import {formOf, methodOf} from './method/index.ts';
import {views} from './method/layout.ts';
import type {ModelConfig} from './model/config.ts';
import type {Decode} from './model/stopping.ts';
import type {WeightIndex} from './model/weights.ts';
import {type StartJob, startingParameters} from './start.ts';
import {Pack, type PackStart} from './step.ts';
import {type AdapterBase, writeAdapter} from './store/adapter.ts';
import {type Checkpoint, dropCheckpoint, loadCheckpoint, saveCheckpoint} from './store/checkpoint.ts';
import {insideRun} from './store/errors.ts';
import {hashAdapter} from './store/hash.ts';
import {kindOf} from './store/peft-formats.ts';

/** A pack's work, as the command gives it to a worker. Trials differ by learning rate and seed only. */
export interface TrainJob {
  trials: Trial[];
  training: TrainingSettings;
  steps: number;
  source: TrainingSource;
  start: StartJob;
  merged: boolean;
  recompute: boolean;
  evaluations: Evaluation[];
  /** Where the trials go on: the evaluations (by `index`) of each trial at that step that an earlier start has done. */
  evaluated?: {step: number; known: Record<string, number[]>};
  /** Of trials that go on, up to the step of `evaluated`, where they are long. */
  curves?: Record<string, Curves>;
  /** The run folder. */
  folder: string;
  /** What is probed on the way, where the sweep asks for it. */
  curvature?: TrainingProbes;
  /** What the adapters say they belong to. */
  base: AdapterBase;
}

/** The base model on a thread's engine. */
export interface BaseContext {
  config: ModelConfig;
  weights: WeightIndex;
  programs: Programs;
}

export interface TrainContext extends BaseContext {
  worker: number;
  emit(event: RunEventBody): void;
  /** Generated answers go to whoever can read them. */
  generated(result: Generated): void;
  stopped(): boolean;
  /** Resolves when everything emitted and generated so far is on the disk: to the bytes of the events. @throws SweepError */
  stored(): Promise<number>;
  decode: Decode;
}

const checkpointMilliseconds = 60_000;

/**
 * Trains a pack to its end, its divergence, or until it is stopped; then a checkpoint lets it go on later. A pack that a
 * GPU has no room for goes on in two halves, from where it was.
 */
export async function train(job: TrainJob, context: TrainContext): Promise<void> {
  const {trials} = job;
  try {
    await trainTogether(job, context);
  } catch (error) {
    if (!needsRoom(error) || trials.length === 1) throw error;
    const half = Math.ceil(trials.length / 2);
    const message = `The GPU has no room for ${trials.length} trials at a time; they go on in packs of ${half}.`;
    context.emit({event: 'note', message});
    for (const part of [trials.slice(0, half), trials.slice(half)]) await train({...job, trials: part}, context);
  }
}

/** All trials of the job side by side. */
async function trainTogether(job: TrainJob, context: TrainContext): Promise<void> {
  const began = performance.now();
  const run = await openPack(job, context);
  const seconds = () => run.secondsBefore + (performance.now() - began) / 1000;
  try {
    await takeSteps(job, context, run, seconds);
  } catch (error) {
    // What is done so far is not lost, as long as the device still gives it.
    if (needsRoom(error)) await save(job, context, run, seconds());
    throw error;
  } finally {
    run.pack.dispose();
  }
}

async function takeSteps(job: TrainJob, context: TrainContext, run: PackRun, seconds: () => number): Promise<void> {
  const {trials, training, steps, source, evaluations} = job;
  const {emit, stopped} = context;
  const {pack, active} = run;
  const alive = () => trials.filter((_, i) => active[i]! > 0);
  const end = (
    ended: Trial[],
    state: 'finished' | 'diverged' | 'stopped',
    {message, adapters}: {message?: string; adapters?: Map<string, string>} = {},
  ) => {
    for (const {id} of ended) {
      const adapter = adapters?.get(id);
      emit({
        event: 'trial-ended',
        trial: id,
        state,
        steps: pack.count,
        seconds: seconds(),
        ...(message ? {message} : {}),
        ...(adapter ? {adapter} : {}),
      });
    }
  };
  const evaluate = async (due: Evaluation[]) => evaluatePack(pack, context, due, trials, active);

  for (const {id} of alive())
    emit({
      event: 'trial-started',
      trial: id,
      steps,
      worker: context.worker,
      ...(pack.count > 0 ? {from: pack.count, ...lastOf(run, job, id)} : {}),
      ...(job.curves?.[id] && job.evaluated?.step === pack.count ? {curves: job.curves[id]} : {}),
    });

  const probe = async () => {
    if (job.curvature?.steps.includes(pack.count)) await probeTrials(job.curvature, pack, trials, active, context);
  };

  /** At this step; a stop may have come before they were done. */
  const isDone = ({index}: Evaluation) =>
    job.evaluated?.step === pack.count && alive().every(({id}) => job.evaluated?.known[id]?.includes(index));
  const dueOnTheWay = () =>
    evaluations.filter(({every}) => every !== undefined && pack.count % every === 0 && pack.count < steps);
  if (pack.count > 0 && !stopped()) {
    await evaluate(dueOnTheWay().filter(evaluation => !isDone(evaluation)));
    if (!stopped()) await probe();
  }

  let saved = performance.now();
  while (pack.count < steps && alive().length > 0 && !stopped()) {
    const step = pack.count;
    const batches = packBatches(source, trials, step, shape => pack.noiseSize(shape));
    const rates = Float32Array.from(trials, trial => rateAt(step, steps, trial.learningRate, training));
    const moving = alive();
    const {losses, gradNorms} = await pack.step(batches, rates, active);
    run.last = {losses, gradNorms};
    const of = (values: Float32Array) => moving.map(trial => finite(values[trials.indexOf(trial)]!));
    emit({
      event: 'step',
      trials: moving.map(({id}) => id),
      step: step + 1,
      losses: of(losses),
      rates: moving.map(trial => rateAt(step, steps, trial.learningRate, training)),
      gradNorms: of(gradNorms),
      tokens: moving.map(({seed}) => tokensOf(source, seed, step)),
    });
    const diverged = moving.filter((_, i) => of(losses)[i] === null || of(gradNorms)[i] === null);
    for (const trial of diverged) active[trials.indexOf(trial)] = 0;
    end(diverged, 'diverged', {message: `The loss or its gradient was no longer finite at step ${step + 1}.`});
    await evaluate(dueOnTheWay());
    if (!stopped()) await probe();
    if (performance.now() - saved > checkpointMilliseconds && !stopped()) {
      await save(job, context, run, seconds());
      saved = performance.now();
    }
  }

  if (!stopped()) await evaluate(evaluations.filter(evaluation => !isDone(evaluation)));
  if (stopped()) {
    await save(job, context, run, seconds());
    end(alive(), 'stopped');
  } else {
    // Answers are judged elsewhere: until that is done the pack can be asked again.
    if (isJudgedLater(job)) await save(job, context, run, seconds());
    end(alive(), 'finished', {adapters: await saveAdapters(job, pack, active, context)});
    if (isJudgedLater(job)) return;
    // A trial whose end is not on the disk needs its checkpoint yet.
    await context.stored();
    dropCheckpoint(join(job.folder, 'checkpoints'), idsOf(job));
  }
}

/** Its trials by name. */
export const idsOf = ({trials}: TrainJob): string[] => trials.map(({id}) => id);

/** Whether the trials' results are known only after they ended. */
export function isJudgedLater({evaluations}: TrainJob): boolean {
  return evaluations.some(({task}) => task === 'generate');
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

export interface PackRun {
  pack: Pack;
  /** 1 while a trial trains, 0 once it diverged. */
  active: Float32Array;
  /** Of the last step, [trials]. */
  last: Pick<Checkpoint, 'losses' | 'gradNorms'>;
  /** Of earlier starts that this one goes on from. */
  secondsBefore: number;
}

function lastOf({last}: PackRun, job: TrainJob, trial: string): {loss: number | null; gradNorm: number | null} {
  const lane = idsOf(job).indexOf(trial);
  return {loss: finite(last.losses[lane]!), gradNorm: finite(last.gradNorms[lane]!)};
}

/** The pack at its start, or where its checkpoint left it. */
export async function openPack(job: TrainJob, context: BaseContext): Promise<PackRun> {
  const {trials, training, merged, recompute, start} = job;
  const {config, weights, programs} = context;
  const first = trials[0]!;
  const form = formOf(first);
  const settings = {
    config,
    weights,
    method: methodOf(first),
    sites: start.sites,
    form,
    trials: trials.length,
    training,
    merged,
    recompute,
  };
  await programs.use(
    JSON.stringify([first.method, form, trials.length, merged, recompute, training, start.sites.length]),
  );
  const starts: PackStart[] = [];
  for (const trial of trials) starts.push(await startingParameters(trial, {config, weights, programs, ...start}));
  const shared = starts.flatMap(one => one.shared ?? []);
  const pack = new Pack(programs, settings, {
    parameters: together(starts.map(one => one.parameters)),
    ...(shared.length > 0 ? {shared: together(shared)} : {}),
  });
  const checkpoint = loadCheckpoint(join(job.folder, 'checkpoints'), idsOf(job));
  if (checkpoint) pack.restore(checkpoint.step, checkpoint.tensors);
  const none = new Float32Array(trials.length).fill(Number.NaN);
  return {
    pack,
    active: checkpoint?.active ?? new Float32Array(trials.length).fill(1),
    last: checkpoint ?? {losses: none, gradNorms: none},
    secondsBefore: checkpoint?.seconds ?? 0,
  };
}

/** Vectors of trials one after another. */
function together(vectors: Float32Array[]): Float32Array {
  if (vectors.length === 1) return vectors[0]!;
  const all = new Float32Array(vectors.length * vectors[0]!.length);
  vectors.forEach((vector, i) => {
    all.set(vector, i * vector.length);
  });
  return all;
}

async function save(
  job: TrainJob,
  context: TrainContext,
  {pack, active, last}: PackRun,
  seconds: number,
): Promise<void> {
  const tensors = await pack.snapshot();
  const events = await context.stored();
  const {losses, gradNorms} = last;
  const checkpoint = {step: pack.count, tensors, active, losses, gradNorms, seconds, events};
  saveCheckpoint(join(job.folder, 'checkpoints'), idsOf(job), checkpoint);
}

/**
 * Writes what the finished trials have learnt: adapters in PEFT's format, or model folders where all weights were
 * trained. Returns the adapters' hashes by trial.
 */
async function saveAdapters(
  job: TrainJob,
  pack: Pack,
  active: Float32Array,
  base: BaseContext,
): Promise<Map<string, string>> {
  const {layout, shared: common} = pack.adaptation;
  const {method, config, form} = pack.settings;
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
    writeAdapter(folder, {
      base: job.base,
      kind: kindOf(trial.method),
      modulePath: config.modulePath,
      rank: trial.rank,
      alpha: trial.alpha,
      options: form.options,
      factors: of(snapshot['parameters']!, i),
      ...(frozen ? {shared: of(frozen, i, common).get('')!} : {}),
      ...(method.residual ? {residual: {method: trial.method, start: of(snapshot['start']!, i)}} : {}),
    });
    hashes.set(trial.id, await hashAdapter(folder));
  }
  return hashes;
}
