/** A run folder with something of everything that an export writes: steps, results, samples, curvature, an axis, a training that diverged. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent, RunEventBody} from '../../../../core/run/events.ts';
import {formatLine} from '../../../../core/run/line.ts';
import type {Trial} from '../../../../core/sweep/sweep.ts';
import {writeSamples} from '../../../../trainer/store/samples.ts';

const base: Omit<Trial, 'id' | 'seed'> = {method: 'lora', rank: 8, alpha: 16, batchSize: 4, learningRate: 1 / 3e4};
export const trials: Trial[] = [
  {...base, id: 'lora-wd0-s1', seed: 1, settings: {'training.weight_decay': '0', 'data.template': 'study'}},
  {...base, id: 'lora-wd0-s2', seed: 2, settings: {'training.weight_decay': '0', 'data.template': 'study'}},
  {...base, id: 'dora-wd0.1-s1', method: 'dora', seed: 4_294_967_295, settings: {'training.weight_decay': '0.1'}},
  {...base, id: 'dora-wd0.1-s2', method: 'dora', seed: 5, settings: {'training.weight_decay': '0.1'}},
];

const started: RunEventBody = {
  event: 'run-started',
  name: 'small',
  trials,
  engine: 'compiled',
  reason: 'asked',
  workers: 1,
  resumed: false,
  steps: {'4': 4},
  fixed: {'data.template': 'plain'},
};

export const stepLoss = (lane: number, step: number): number => 2 / 3 + lane + 1 / step;
export const stepRate = (step: number): number => (0.1 + 0.2) / step;

/** `gone`: a loss that was not finite. */
function stepped(trial: number, step: number, gone = false): RunEventBody {
  const loss = gone ? null : stepLoss(trial, step);
  return {
    event: 'step',
    trials: [trials[trial]!.id],
    step,
    losses: [loss],
    rates: [stepRate(step)],
    gradNorms: [gone ? null : 1 / 7],
  };
}

function evaluated(trial: number, step: number, value: number): RunEventBody[] {
  const result = {event: 'evaluation', trial: trials[trial]!.id, step} as const;
  return [
    {...result, task: 'gsm8k', entry: 'a, "b".jsonl', metric: 'accuracy', value, correct: 3, total: 10},
    {...result, task: 'loss', metric: 'loss', value: value + 1, correct: null, total: 10},
  ];
}

const begun = (trial: number): RunEventBody => ({
  event: 'trial-started',
  trial: trials[trial]!.id,
  steps: 4,
  worker: 0,
});
const ended = (trial: number, state: 'finished' | 'diverged', steps: number): RunEventBody => ({
  event: 'trial-ended',
  trial: trials[trial]!.id,
  state,
  steps,
  seconds: 1.5,
  ...(state === 'diverged' ? {message: 'a "b", c\nd'} : {}),
});

/** The last trial was not begun. */
export const bodies: RunEventBody[] = [
  started,
  begun(0),
  stepped(0, 1),
  stepped(0, 2),
  ...evaluated(0, 2, 0.25),
  stepped(0, 3),
  stepped(0, 4),
  ...evaluated(0, 4, 0.5),
  ended(0, 'finished', 4),
  begun(1),
  stepped(1, 1),
  ended(1, 'finished', 1),
  begun(2),
  stepped(2, 1),
  stepped(2, 2, true),
  ended(2, 'diverged', 2),
  {
    event: 'curvature',
    method: 'lora',
    rank: 8,
    batchSize: 4,
    seed: 1,
    step: 0,
    layer: 2,
    module: 'q_proj',
    lambdaMax: 2,
    lambdaMin: -1,
    iterations: 12,
    residual: 1e-4,
  },
];
export const secondOf = (body: number): number => 1_700_000_000.25 + body;

export function at(list: readonly RunEventBody[]): RunEvent[] {
  return list.map((body, k) => ({...body, at: secondOf(k) * 1000}));
}

export function writeSmallRun(folder: string): void {
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'events.jsonl'), at(bodies).map(formatLine).join(''));
  writeSamples(folder, {trial: trials[0]!.id, step: 4, evaluation: 0}, [
    {row: 3, sample: 0, output: 'a\nb, "c" é', expected: '7', extracted: '7', verdict: true},
    {row: 4, sample: 0, output: '', expected: '8', extracted: null, verdict: false, reason: 'no answer'},
  ]);
}
