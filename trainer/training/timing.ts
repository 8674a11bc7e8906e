/** How long the parts of a training take on this machine, found by doing a little of each. */
import {grouped} from '../../core/grouped.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {shapeName} from '../data/shapes.ts';
import {generate} from '../generation/generation.ts';
import {startsFromReadings} from '../method/index.ts';
import {activationBytes, generationMemory, type KeptBy, lossBytes} from '../size/activations.ts';
import {stepFlops} from '../size/flops.ts';
import type {BaseContext} from '../step/base.ts';
import {packBatches, sideBySide} from '../step/batches.ts';
import {gradientTripletsOf, startingParameters} from '../step/start.ts';
import type {StartJob} from '../step/start-settings.ts';
import type {Pack, PackBatch} from '../step/step.ts';
import {firstGradients} from '../step/weight-gradients.ts';
import type {Evaluation} from './evaluation.ts';
import {openPack, type TrainJob} from './open-pack.ts';

/** Seconds. */
export interface TrialTimes {
  /** Until a worker that begins with this setting is at full speed: drawing factors, tracing, compiling, first runs. */
  opening: number;
  /** Of a seed that nobody has started from yet: gradients of the base's weights and their factorisation. */
  starting: number;
  /** All steps of a trial. */
  steps: number;
  /** All evaluations of a trial. */
  evaluations: number;
  /** Bytes that the whole training will take beyond what was done here: a larger shape, or longer texts, than were reached. */
  bytesLeft: number;
}

/** What is measured of a training; `kept`: what decides how much of a step is kept in memory. */
export interface MeasuredTraining extends TrainJob {
  kept: KeptBy;
}

export interface MeasuredJob extends MeasuredTraining {
  answerTokens: Record<number, number>;
  fromRows?: {trial: Trial; sources: NonNullable<StartJob['sources']>};
}

/** The runs that a program takes until its memory is laid out. */
const firstRuns = 2;
const mostRuns = 64;
/** Something is measured for about this long, and all shapes of batches together. */
const [measureSeconds, shapesSeconds] = [1.5, 6];
/** Other shapes are run once, as long as all together take no longer than this; so is what takes this long by itself. */
const onceSeconds = 20;

/**
 * Of one pack. `answerTokens`: new tokens a row that each evaluation by generation, by its index, is expected to take.
 * `fromRows`: the method whose start is made of training rows; `job` may have another one that computes alike.
 */
export async function timeTrial(
  {answerTokens, fromRows, ...job}: MeasuredJob,
  context: BaseContext,
): Promise<TrialTimes> {
  const starting = fromRows ? await timeRows(fromRows, job, context) : 0;
  const began = performance.now();
  const {pack, active} = await openPack(job, context);
  try {
    const opened = secondsSince(began);
    const steps = await timeSteps(job, pack, active, context);
    const times = {
      opening: opened + steps.opening,
      starting,
      steps: steps.seconds,
      evaluations: 0,
      bytesLeft: steps.bytesLeft,
    };
    for (const evaluation of job.evaluations) {
      const {index, every} = evaluation;
      const one = await (evaluation.task === 'generate'
        ? timeGeneration(pack, evaluation, answerTokens[index] ?? evaluation.maxNewTokens, context)
        : timeScoring(pack, evaluation));
      times.opening += one.opening;
      times.evaluations += one.seconds * (1 + (every === undefined ? 0 : Math.floor((job.steps - 1) / every)));
      times.bytesLeft = Math.max(times.bytesLeft, one.bytesLeft);
    }
    // As a checkpoint does, beside all the programs.
    await pack.snapshot();
    return times;
  } finally {
    pack.dispose();
  }
}

/**
 * Seconds of a start from training rows. Gradients are made, and a matrix of each shape is factorised; those that the cache
 * has already cost next to nothing. A start from what projections read is made as a whole.
 */
async function timeRows(
  {trial, sources}: NonNullable<MeasuredJob['fromRows']>,
  {start: {sites}}: TrainJob,
  {config, weights, programs}: BaseContext,
): Promise<number> {
  const settings = {config, weights, programs, sources, sites};
  const began = performance.now();
  // Programs of the setting before are let go first, as openPack does.
  await programs.use('');
  if (startsFromReadings(trial.method)) {
    await startingParameters(trial, settings);
    return secondsSince(began);
  }
  await firstGradients(trial, settings);
  let seconds = secondsSince(began);
  for (const alike of grouped(sites, site => `${site.outputs}x${site.inputs}`).values()) {
    const before = performance.now();
    await gradientTripletsOf(trial, settings, alike.at(-1)!, 2 * trial.rank);
    seconds += alike.length * secondsSince(before);
  }
  return seconds;
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

interface Timed {
  opening: number;
  seconds: number;
  bytesLeft: number;
}

/** Repeats something until it has settled: seconds of one run, and what the first ones took beyond that. */
async function settled(run: () => Promise<unknown>): Promise<Pick<Timed, 'opening' | 'seconds'>> {
  const times: number[] = [];
  const began = performance.now();
  const enough = () =>
    times.length <= firstRuns
      ? times.length > 1 && secondsSince(began) > onceSeconds
      : times.length >= mostRuns || secondsSince(began) >= measureSeconds;
  while (!enough()) {
    const before = performance.now();
    await run();
    times.push(secondsSince(before));
  }
  // What takes very long has settled at its second run: laying memory out is little of it.
  const first = Math.min(firstRuns, times.length - 1);
  const later = times.slice(first).sort((a, b) => a - b);
  const seconds = later[later.length >> 1]!;
  const opening = times.slice(0, first).reduce((sum, time) => sum + time, 0);
  return {opening: Math.max(0, opening - first * seconds), seconds};
}

/** All steps: the most frequent shapes of batches are measured, the others go by what they compute. */
async function timeSteps(
  job: MeasuredTraining,
  pack: Pack,
  active: Float32Array,
  {config}: BaseContext,
): Promise<Timed> {
  const batchesOf = (step: number) => packBatches(job.source, job.trials, step, shape => pack.noiseSize(shape));
  const kinds = new Map<string, {count: number; step: number; batches: PackBatch[]; flops: number}>();
  for (let step = 0; step < job.steps; step++) {
    const batches = batchesOf(step);
    const key = batches.map(({shape}) => shapeName(shape)).join(' ');
    const {layout} = pack.adaptation;
    const known = kinds.get(key) ?? {
      count: 0,
      step,
      batches,
      flops: batches.reduce((sum, {shape}) => sum + stepFlops(config, shape, layout.size * job.trials.length), 0),
    };
    kinds.set(key, {...known, count: known.count + 1});
  }
  const bytesOf = (batches: readonly PackBatch[]) =>
    job.trials.length * Math.max(...batches.map(({shape}) => activationBytes(job.kept, shape)));
  const began = performance.now();
  const still = new Float32Array(job.trials.length);
  let perFlop = 0;
  const openings: number[] = [];
  const total = {opening: 0, seconds: 0};
  let [reached, largest] = [0, 0];
  for (const {count, step, batches, flops} of [...kinds.values()].sort((a, b) => b.count - a.count)) {
    let seconds = perFlop * flops;
    let opening = openings.reduce((sum, own) => sum + own, 0) / Math.max(1, openings.length);
    const bytes = bytesOf(batches);
    if (perFlop === 0 || secondsSince(began) < shapesSeconds) {
      ({opening, seconds} = await settled(() => pack.step(batchesOf(step), still, active)));
      perFlop = seconds / flops;
      openings.push(opening);
      reached = Math.max(reached, bytes);
    } else if (secondsSince(began) + seconds < onceSeconds) {
      const before = performance.now();
      await pack.step(batches, still, active);
      opening = Math.max(0, secondsSince(before) - seconds);
      openings.push(opening);
      reached = Math.max(reached, bytes);
    }
    largest = Math.max(largest, bytes);
    total.opening += opening;
    total.seconds += count * seconds;
  }
  return {...total, bytesLeft: largest - reached};
}

/** Of a loss, or of choices. */
async function timeScoring(pack: Pack, {task, source}: Exclude<Evaluation, {task: 'generate'}>): Promise<Timed> {
  const {dataset, rows, shapes} = source;
  const some = Int32Array.from({length: Math.min(rows, dataset.count)}, (_, row) => row);
  const batch = sideBySide(
    source,
    Array.from({length: pack.settings.trials}, () => some),
  );
  const one = await settled(() => (task === 'loss' ? pack.evaluate(batch) : pack.score(batch)));
  const {config, trials} = pack.settings;
  const largest = Math.max(...shapes.map(shape => lossBytes(config, shape)));
  const bytesLeft = trials * (largest - lossBytes(config, batch.shape));
  return {opening: one.opening, seconds: (one.seconds * dataset.count) / some.length, bytesLeft};
}

/** Generates for a while, twice: the first time compiles. */
async function timeGeneration(
  pack: Pack,
  {prompts, maxNewTokens, choosing: {stop: _, ...drawing}}: Extract<Evaluation, {task: 'generate'}>,
  answerTokens: number,
  {programs, config}: BaseContext,
): Promise<Timed> {
  const {samples = 1} = drawing;
  const limits = {maxNewTokens, eosIds: config.eosIds, ...drawing};
  const times: number[] = [];
  let answers: number[][] = [];
  for (let run = 0; run < 2; run++) {
    const generative = await pack.generative();
    const began = performance.now();
    let asked = 0;
    const enough = () => asked++ > 1 && secondsSince(began) > measureSeconds;
    const all = await generate(programs, generative, prompts, limits, enough);
    times.push(secondsSince(began));
    answers = all.flat();
  }
  const {trials} = pack.settings;
  const tokens = answers.reduce((sum, ids) => sum + ids.length, 0);
  const wanted = trials * samples * prompts.length * Math.min(maxNewTokens, answerTokens);
  const seconds = (times[1]! * wanted) / Math.max(1, tokens);
  const bytesOf = (reached: readonly Int32Array[], newTokens: number) =>
    generationMemory(config, {prompts: reached, newTokens, samples}).bytes;
  const read = prompts.filter((_, i) => answers[i * samples]!.length > 0);
  const longest = answers.reduce((most, {length}) => Math.max(most, length), 0);
  const bytesLeft = trials * Math.max(0, bytesOf(prompts, maxNewTokens) - bytesOf(read, longest));
  return {opening: Math.max(0, times[0]! - times[1]!), seconds, bytesLeft};
}
