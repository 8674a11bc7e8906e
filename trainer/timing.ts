/** How long the parts of a training take on this machine, found by doing a little of each. */
import {packBatches, sideBySide} from './batches.ts';
import type {Evaluation} from './evaluate.ts';
import {stepFlops} from './flops.ts';
import {generate} from './model/generation.ts';
import type {Pack, PackBatch} from './step.ts';
import {type BaseContext, openPack, type TrainJob} from './train.ts';

/** Seconds. */
export interface TrialTimes {
  /** Until a worker that begins with this setting is at full speed: drawing factors, tracing, compiling, first runs. */
  opening: number;
  /** All steps of a trial. */
  steps: number;
  /** All evaluations of a trial. */
  evaluations: number;
}

/** The runs that a program takes until its memory is laid out. */
const firstRuns = 2;
const mostRuns = 8;
/** Something is measured for about this long, and all shapes of batches together. */
const [measureSeconds, shapesSeconds] = [1.5, 6];

/** Of one pack. `answerTokens`: new tokens a row that each evaluation by generation, by its index, is expected to take. */
export async function timeTrial(
  job: TrainJob,
  answerTokens: Record<number, number>,
  context: BaseContext,
): Promise<TrialTimes> {
  const began = performance.now();
  const {pack, active} = await openPack(job, context);
  try {
    const opened = secondsSince(began);
    const steps = await timeSteps(job, pack, active, context);
    const times = {opening: opened + steps.opening, steps: steps.seconds, evaluations: 0};
    for (const evaluation of job.evaluations) {
      const {index, every, task} = evaluation;
      const one = await (task === 'loss'
        ? timeLoss(pack, evaluation)
        : timeGeneration(pack, evaluation, answerTokens[index] ?? evaluation.maxNewTokens, context));
      times.opening += one.opening;
      times.evaluations += one.seconds * (1 + (every === undefined ? 0 : Math.floor((job.steps - 1) / every)));
    }
    return times;
  } finally {
    pack.dispose();
  }
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

interface Timed {
  opening: number;
  seconds: number;
}

/** Repeats something until it has settled: seconds of one run, and what the first ones took beyond that. */
async function settled(run: () => Promise<unknown>): Promise<Timed> {
  const times: number[] = [];
  const began = performance.now();
  while (times.length <= firstRuns || (times.length < mostRuns && secondsSince(began) < measureSeconds)) {
    const before = performance.now();
    await run();
    times.push(secondsSince(before));
  }
  const later = times.slice(firstRuns).sort((a, b) => a - b);
  const seconds = later[later.length >> 1]!;
  const first = times.slice(0, firstRuns).reduce((sum, time) => sum + time, 0);
  return {opening: Math.max(0, first - firstRuns * seconds), seconds};
}

/** All steps: the most frequent shapes of batches are measured, the others go by what they compute. */
async function timeSteps(job: TrainJob, pack: Pack, active: Float32Array, {config}: BaseContext): Promise<Timed> {
  const batchesOf = (step: number) => packBatches(job.source, job.trials, step, shape => pack.noiseSize(shape));
  const kinds = new Map<string, {count: number; batches: PackBatch[]; flops: number}>();
  for (let step = 0; step < job.steps; step++) {
    const batches = batchesOf(step);
    const key = batches.map(({shape}) => Object.values(shape).join('x')).join(' ');
    const {layout} = pack.adaptation;
    const known = kinds.get(key) ?? {
      count: 0,
      batches,
      flops: batches.reduce(
        (sum, {shape}) => sum + stepFlops(config, {...shape, rows: shape.batch}, layout.size * job.trials.length),
        0,
      ),
    };
    kinds.set(key, {...known, count: known.count + 1});
  }
  const began = performance.now();
  const still = new Float32Array(job.trials.length);
  let perFlop = 0;
  const total = {opening: 0, seconds: 0};
  for (const {count, batches, flops} of [...kinds.values()].sort((a, b) => b.count - a.count)) {
    let seconds = perFlop * flops;
    if (perFlop === 0 || secondsSince(began) < shapesSeconds) {
      const one = await settled(() => pack.step(batches, still, active));
      total.opening += one.opening;
      seconds = one.seconds;
      perFlop = seconds / flops;
    }
    total.seconds += count * seconds;
  }
  return total;
}

async function timeLoss(pack: Pack, {source}: Extract<Evaluation, {task: 'loss'}>): Promise<Timed> {
  const {dataset, rows} = source;
  const some = Int32Array.from({length: Math.min(rows, dataset.count)}, (_, row) => row);
  const trials = Array.from({length: pack.settings.trials}, () => some);
  const one = await settled(() => pack.evaluate(sideBySide(source, trials)));
  return {opening: one.opening, seconds: (one.seconds * dataset.count) / some.length};
}

/** Generates for a while, twice: the first time compiles. */
async function timeGeneration(
  pack: Pack,
  {prompts, maxNewTokens, choosing: {stop: _, ...drawing}}: Extract<Evaluation, {task: 'generate'}>,
  answerTokens: number,
  {programs, config}: BaseContext,
): Promise<Timed> {
  const limits = {maxNewTokens, eosIds: config.eosIds, ...drawing};
  const times: number[] = [];
  let tokens = 0;
  for (let run = 0; run < 2; run++) {
    const generative = await pack.generative();
    const began = performance.now();
    let asked = 0;
    const enough = () => asked++ > 1 && secondsSince(began) > measureSeconds;
    const answers = await generate(programs, generative, prompts, limits, enough);
    times.push(secondsSince(began));
    tokens = answers.flat().reduce((sum, ids) => sum + ids.length, 0);
  }
  const wanted = pack.settings.trials * prompts.length * (drawing.samples ?? 1) * Math.min(maxNewTokens, answerTokens);
  const seconds = (times[1]! * wanted) / Math.max(1, tokens);
  return {opening: Math.max(0, times[0]! - times[1]!), seconds};
}
