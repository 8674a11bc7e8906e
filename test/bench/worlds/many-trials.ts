/** A run of 5,000 trials, as its file and as the folder that the trainer's own store makes of it: nothing is trained. */
import type {RunEventBody} from '../../../core/run/events.ts';
import {stepsKey} from '../../../core/sweep/axes/axes.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import type {Sweep, Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {random} from '../../../trainer/math/random.ts';
import {openRun} from '../../../trainer/store/run.ts';

/** 5 methods, 2 models × 5 ranks as conditions, each method tuned over 10 rates × 2 decays, 5 seeds. */
export const manyTrialsText = `name: many
model: [models/first, models/second]
data: {train: rows.jsonl}
methods: [lora, pissa, milora, init-ab, dora]
rank: [4, 8, 16, 32, 64]
batch_size: 16
learning_rate: {from: 1e-5, to: 1.78e-3, per_decade: 4}
seeds: [1, 2, 3, 4, 5]
tune: [learning_rate, training.weight_decay]
training: {steps: 300, weight_decay: [0, 0.1]}
evaluate: {task: exact-match, data: rows.jsonl}
`;
export const manySteps = 300;

export function manyTrialsSweep(): {sweep: Sweep; trials: Trial[]} {
  const {sweep} = readSweep(manyTrialsText, 'many');
  if (!sweep) throw new Error('The sweep of many trials has errors.');
  return {sweep, trials: expandTrials(sweep)};
}

/** What a seed, a rate and a rank come to: a peak over the rates, some of the highest of which diverge. */
function fateOf({id, learningRate, rank}: Trial): {isLost: boolean; value: number; losses: number[]} {
  const stream = random('bench', id);
  const distance = Math.log10(learningRate / 2e-4) + 0.1 * Math.log2(rank / 16);
  const isLost = distance > 0.8 && stream.next() < 0.5;
  const value = Math.max(0, 0.6 - 0.2 * distance ** 2 + 0.03 * (stream.next() - 0.5));
  const steps = isLost ? 60 : manySteps;
  const losses = Array.from(
    {length: steps},
    (_, k) => (1.2 + 0.4 * distance ** 2) * (k + 1) ** -0.15 + 0.2 * stream.next(),
  );
  return {isLost, value, losses};
}

/** A run at its end. */
export async function writeManyTrials(folder: string): Promise<void> {
  const {trials} = manyTrialsSweep();
  const run = await openRun({folder, sweepFile: '', resume: false});
  run.append(startOf(trials));
  for (const trial of trials) for (const event of storyOf(trial)) run.append(event);
  run.append({event: 'run-ended', state: 'finished', seconds: 60 * trials.length});
  run.close();
}

export const startOf = (trials: Trial[]): RunEventBody => ({
  ...{event: 'run-started', name: 'many', trials, engine: 'compiled', reason: '', workers: 2, resumed: false},
  steps: Object.fromEntries(trials.map(trial => [stepsKey(trial), manySteps])),
  ...{tune: ['training.weight_decay'], fixed: {}},
});

/** What the trainer says of a trial from its beginning to its end. */
export function* storyOf(trial: Trial): Generator<RunEventBody> {
  const {id, learningRate} = trial;
  const {isLost, value, losses} = fateOf(trial);
  yield {event: 'trial-started', trial: id, steps: manySteps, worker: 0};
  for (const [k, loss] of losses.entries())
    yield {event: 'step', trials: [id], step: k + 1, losses: [loss], rates: [learningRate], gradNorms: [1 / loss]};
  if (!isLost)
    yield {
      ...{event: 'evaluation', trial: id, step: manySteps, task: 'exact-match', metric: 'accuracy'},
      ...{value, correct: Math.round(256 * value), total: 256},
    };
  yield {event: 'trial-ended', trial: id, state: isLost ? 'diverged' : 'finished', steps: losses.length, seconds: 60};
}
