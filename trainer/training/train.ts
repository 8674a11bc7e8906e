/** The training of one pack, from its starting factors to its adapters. */
import {join} from 'node:path';
import type {Trial} from '../../core/sweep/sweep.ts';
import {probeTrials} from '../curvature/along-training.ts';
import {needsRoom} from '../engine/onnx/device-errors.ts';
import {rateAt} from '../math/schedule.ts';
import {packBatches, tokensOf} from '../step/batches.ts';
import {dropCheckpoint} from '../store/checkpoint.ts';
import type {TrainContext} from './context.ts';
import {evaluatePack} from './evaluate.ts';
import type {Evaluation} from './evaluation.ts';
import {save, saveAdapters} from './keep.ts';
import {idsOf, openPack, type PackRun, type TrainJob} from './open-pack.ts';

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

/** Whether the trials' results are known only after they ended. */
export function isJudgedLater({evaluations}: TrainJob): boolean {
  return evaluations.some(({task}) => task === 'generate');
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function lastOf({last}: PackRun, job: TrainJob, trial: string): {loss: number | null; gradNorm: number | null} {
  const lane = idsOf(job).indexOf(trial);
  return {loss: finite(last.losses[lane]!), gradNorm: finite(last.gradNorms[lane]!)};
}
