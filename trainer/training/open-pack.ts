import {join} from 'node:path';
import type {Curves} from '../../core/run/events.ts';
import type {TrainingSettings, Trial} from '../../core/sweep/sweep.ts';
import type {AdapterBase} from '../adapter/write-adapter.ts';
import type {TrainingProbes} from '../curvature/along-training.ts';
import {formOf, methodOf} from '../method/index.ts';
import type {BaseContext} from '../step/base.ts';
import type {TrainingSource} from '../step/batches.ts';
import {startingParameters} from '../step/start.ts';
import type {StartJob} from '../step/start-settings.ts';
import {Pack, type PackStart} from '../step/step.ts';
import {type Checkpoint, checkpointsName, loadCheckpoint} from '../store/checkpoint.ts';
import type {Evaluation} from './evaluation.ts';
import {RecentLosses} from './recent-losses.ts';

/** A pack's work, as the command gives it to a worker. Trials differ by learning rate and seed only. */
export interface TrainJob {
  trials: Trial[];
  training: TrainingSettings;
  /** Of the whole training: what the schedule is made for. */
  steps: number;
  /** Updates after which the trials pause; absent = they are trained to their end. */
  until?: number | undefined;
  source: TrainingSource;
  start: StartJob;
  merged: boolean;
  recompute: boolean;
  evaluations: Evaluation[];
  /** By trial: the hash over all that moves its numbers. */
  prints?: Record<string, string>;
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

/** Its trials by name. */
export const idsOf = ({trials}: TrainJob): string[] => trials.map(({id}) => id);

export interface PackRun {
  pack: Pack;
  /** 1 while a trial trains, 0 once it diverged. */
  active: Float32Array;
  /** Of the last step, [trials]. */
  last: Pick<Checkpoint, 'losses' | 'gradNorms'>;
  recent: RecentLosses;
  /** Of earlier starts that this one goes on from. */
  secondsBefore: number;
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
    steps: job.steps,
  };
  await programs.use(
    JSON.stringify([first.method, form, trials.length, merged, recompute, training, start.sites.map(({name}) => name)]),
  );
  const starts: PackStart[] = [];
  for (const trial of trials) starts.push(await startingParameters(trial, {config, weights, programs, ...start}));
  const shared = starts.flatMap(one => one.shared ?? []);
  const pack = new Pack(programs, settings, {
    parameters: together(starts.map(one => one.parameters)),
    ...(shared.length > 0 ? {shared: together(shared)} : {}),
  });
  const checkpoint = loadCheckpoint(join(job.folder, checkpointsName), idsOf(job));
  if (checkpoint) pack.restore(checkpoint.step, checkpoint.tensors);
  const none = new Float32Array(trials.length).fill(Number.NaN);
  return {
    pack,
    active: checkpoint?.active ?? new Float32Array(trials.length).fill(1),
    last: checkpoint ?? {losses: none, gradNorms: none},
    recent: new RecentLosses(trials.length, checkpoint?.recent),
    secondsBefore: checkpoint?.seconds ?? 0,
  };
}

/** Vectors of trials one after another. */
export function together(vectors: readonly Float32Array[]): Float32Array {
  if (vectors.length === 1) return vectors[0]!;
  const all = new Float32Array(vectors.length * vectors[0]!.length);
  vectors.forEach((vector, i) => {
    all.set(vector, i * vector.length);
  });
  return all;
}
