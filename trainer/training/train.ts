/** The training of one pack, from its starting factors to its adapters. */
import {join} from 'node:path';
import type {TrialEnded} from '../../core/run/events.ts';
import {orderSeedOf, type Trial} from '../../core/sweep/sweep.ts';
import {probeTrials} from '../curvature/along-training.ts';
import {needsRoom, noMemory, roomError} from '../engine/program/no-room.ts';
import {rateAt} from '../math/schedule.ts';
import {packBatches, tokensOf} from '../step/batches.ts';
import {checkpointsName, dropCheckpoint} from '../store/checkpoint.ts';
import type {TrainContext} from './context.ts';
import {evaluatePack} from './evaluate.ts';
import type {Evaluation} from './evaluation.ts';
import {save, saveAdapters} from './keep.ts';
import {idsOf, openPack, type PackRun, type TrainJob} from './open-pack.ts';

const checkpointMilliseconds = 60_000;

/**
 * Trains a pack to its end or as far as it is asked for, to its divergence, or until it is stopped; then a checkpoint lets it
 * go on later. A pack that there is no room for goes on in two halves, from where it was.
 * @throws SweepError `gpu-memory`, `no-memory` where there is none for a single trial
 */
export async function train(job: TrainJob, context: TrainContext): Promise<void> {
  const {trials} = job;
  try {
    await trainTogether(job, context);
  } catch (fault) {
    const error = roomError(fault);
    if (!needsRoom(error) || trials.length === 1) throw error;
    const half = Math.ceil(trials.length / 2);
    const where = error.code === 'gpu-memory' ? 'The GPU has no room' : 'There is no room';
    const message = `${where} for ${trials.length} trials at a time; they go on in packs of ${half}.`;
    context.emit({event: 'note', message});
    for (const part of [trials.slice(0, half), trials.slice(half)]) await train({...job, trials: part}, context);
  }
}

/** A pack under way: what the chapters of its training share. */
interface UnderTraining {
  job: TrainJob;
  context: TrainContext;
  run: PackRun;
  /** Training time so far, of all starts. */
  seconds(): number;
}

/** All trials of the job side by side. */
async function trainTogether(job: TrainJob, context: TrainContext): Promise<void> {
  const began = performance.now();
  const run = await openPack(job, context);
  const seconds = () => run.secondsBefore + (performance.now() - began) / 1000;
  try {
    await takeSteps({job, context, run, seconds});
  } catch (error) {
    // What is done so far is not lost, as long as it can still be had.
    if (needsRoom(roomError(error))) await saveWhatFits({job, context, run, seconds});
    throw error;
  } finally {
    run.pack.dispose();
  }
}

/** A checkpoint that there is no room for is none: the one before it counts. */
async function saveWhatFits({job, context, run, seconds}: UnderTraining): Promise<void> {
  try {
    await save(job, context, run, seconds());
  } catch (error) {
    if (!needsRoom(roomError(error))) throw error;
  }
}

async function takeSteps(training: UnderTraining): Promise<void> {
  const {job, context, run, seconds} = training;
  const {steps, until = steps} = job;
  tellStarts(training);
  await catchUp(training);
  let saved = performance.now();
  while (run.pack.count < until && aliveOf(training).length > 0 && !context.stopped()) {
    if (context.crowded()) throw noMemory('almost all that the process may take is taken');
    await takeStep(training);
    await evaluate(training, dueOnTheWay(training));
    await probe(training);
    if (performance.now() - saved > checkpointMilliseconds && !context.stopped()) {
      await save(job, context, run, seconds());
      saved = performance.now();
    }
  }
  const isWhole = run.pack.count >= steps || aliveOf(training).length === 0;
  if (isWhole) await evaluate(training, job.evaluations.filter(missing(training)));
  if (context.stopped()) await stop(training);
  else if (isWhole) await finish(training);
  else await pause(training);
}

function tellStarts(training: UnderTraining): void {
  const {job, context, run} = training;
  const {count} = run.pack;
  for (const {id} of aliveOf(training))
    context.emit({
      event: 'trial-started',
      trial: id,
      steps: job.steps,
      worker: context.worker,
      ...(job.prints?.[id] !== undefined && {fingerprint: job.prints[id]}),
      ...(count > 0 ? {from: count, ...lastOf(run, job, id)} : {}),
      ...(job.curves?.[id] && job.evaluated?.step === count ? {curves: job.curves[id]} : {}),
    });
}

/** What was due at the step that the pack goes on from; a stop may have come before it was done. */
async function catchUp(training: UnderTraining): Promise<void> {
  if (training.run.pack.count === 0) return;
  await evaluate(training, dueOnTheWay(training).filter(missing(training)));
  await probe(training);
}

async function takeStep(training: UnderTraining): Promise<void> {
  const {job, context, run} = training;
  const {trials, steps, source} = job;
  const {pack, active, recent} = run;
  const step = pack.count;
  const batches = packBatches(source, trials, step, shape => pack.noiseSize(shape));
  const rates = trials.map(trial => rateAt(step, steps, trial.learningRate, job.training));
  const moving = aliveOf(training);
  const {losses, gradNorms} = await pack.step(batches, Float32Array.from(rates), active);
  run.last = {losses, gradNorms};
  recent.add(step + 1, losses);
  const of = (values: ArrayLike<number>) => moving.map(trial => finite(values[trials.indexOf(trial)]!));
  const told = {losses: of(losses), gradNorms: of(gradNorms)};
  context.emit({
    event: 'step',
    trials: moving.map(({id}) => id),
    step: step + 1,
    losses: told.losses,
    rates: moving.map(trial => rates[trials.indexOf(trial)]!),
    gradNorms: told.gradNorms,
    tokens: moving.map(trial => tokensOf(source, orderSeedOf(trial), step)),
  });
  const diverged = moving.filter((_, i) => told.losses[i] === null || told.gradNorms[i] === null);
  for (const trial of diverged) active[trials.indexOf(trial)] = 0;
  end(training, diverged, {
    state: 'diverged',
    message: `The loss or its gradient was no longer finite at step ${step + 1}.`,
  });
}

/** Trials that still train. */
const aliveOf = ({job, run}: UnderTraining): Trial[] => job.trials.filter((_, i) => run.active[i]! > 0);

function dueOnTheWay({job, run}: UnderTraining): Evaluation[] {
  const {count} = run.pack;
  return job.evaluations.filter(({every}) => every !== undefined && count % every === 0 && count < job.steps);
}

/** Whether an evaluation at this step is not known from an earlier start. */
function missing(training: UnderTraining): (evaluation: Evaluation) => boolean {
  const {evaluated} = training.job;
  const alive = aliveOf(training);
  return ({index}) =>
    evaluated?.step !== training.run.pack.count || !alive.every(({id}) => evaluated.known[id]?.includes(index));
}

async function evaluate({job, context, run}: UnderTraining, due: Evaluation[]): Promise<void> {
  await evaluatePack(run.pack, context, due, job.trials, run.active);
}

async function probe({job, context, run}: UnderTraining): Promise<void> {
  const {pack, active} = run;
  if (context.stopped() || !job.curvature?.steps.includes(pack.count)) return;
  await probeTrials(job.curvature, pack, job.trials, active, context);
}

/** Says of these trials how they ended. */
function end(
  {job, context, run, seconds}: UnderTraining,
  ended: readonly Trial[],
  how: Pick<TrialEnded, 'state' | 'message'>,
  adapters?: ReadonlyMap<string, string>,
): void {
  const steps = run.pack.count;
  for (const {id} of ended) {
    const adapter = adapters?.get(id);
    const tail = how.state === 'diverged' ? null : run.recent.tail(idsOf(job).indexOf(id), steps);
    const isTold = tail !== undefined && how.state !== 'stopped';
    context.emit({
      event: 'trial-ended',
      trial: id,
      ...how,
      steps,
      ...(isTold ? {tail} : {}),
      seconds: seconds(),
      ...(adapter ? {adapter} : {}),
    });
  }
}

async function stop(training: UnderTraining): Promise<void> {
  const {job, context, run, seconds} = training;
  await save(job, context, run, seconds());
  end(training, aliveOf(training), {state: 'stopped'});
}

/** The trials go on from their checkpoints when they are asked for again; those that diverged are done. */
async function pause(training: UnderTraining): Promise<void> {
  const {job, context, run, seconds} = training;
  const alive = aliveOf(training);
  await save(job, context, run, seconds());
  end(training, alive, {state: 'paused'});
  const others = job.trials.filter(trial => !alive.includes(trial));
  if (!isJudgedLater(job)) await forget(training, others);
}

async function finish(training: UnderTraining): Promise<void> {
  const {job, context, run, seconds} = training;
  // Answers are judged elsewhere: until that is done the pack can be asked again.
  if (isJudgedLater(job)) await save(job, context, run, seconds());
  // Who has lost the trial to another process hears of it before it writes.
  else await context.stored();
  const adapters = await saveAdapters(job, run.pack, run.active, context);
  end(training, aliveOf(training), {state: 'finished'}, adapters);
  if (!isJudgedLater(job)) await forget(training, job.trials);
}

/** A trial whose end is not on the disk needs its checkpoint yet. */
async function forget({job, context}: UnderTraining, trials: readonly Trial[]): Promise<void> {
  if (trials.length === 0) return;
  await context.stored();
  dropCheckpoint(
    join(job.folder, checkpointsName),
    trials.map(({id}) => id),
  );
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
