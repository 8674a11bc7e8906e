/** The measured toy sweep (test/fixtures/toy-results.json) told as the events of a run. */
import {readFileSync} from 'node:fs';
import type {MethodName} from '../../../core/method/methods.ts';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

interface ToyTask {
  steps: number;
  batch: number;
  rank: number;
  alpha: number;
  seeds: number[];
  lr: number[];
  methods: Record<string, {acc: number[][]; test_loss: number[][]; train_loss_last20: number[][]}>;
}

const methods: [string, MethodName][] = [
  ['LoRA', 'lora'],
  ['PiSSA', 'pissa'],
  ['MiLoRA', 'milora'],
  ['InitAB', 'init-ab'],
  ['DoRA', 'dora'],
];
const rows = 256;

export function readToy(): {desc: ToyTask; golden: Record<string, {lr: number; loss: number[]}>} {
  const file = new URL('../../fixtures/toy-results.json', import.meta.url);
  const all = JSON.parse(readFileSync(file, 'utf8'));
  return {desc: all.desc, golden: all.golden_loss.curves};
}

/**
 * Every trial from start to end, two at a time. Accuracies and losses are the measured ones; the way of the training
 * loss in between is drawn, since only its end was recorded.
 */
export function toyEvents(stepEvery = 10): RunEvent[] {
  const {desc} = readToy();
  const trials: Trial[] = [];
  const bodies: RunEventBody[] = [];
  for (const [, method] of methods) {
    for (const learningRate of desc.lr) {
      for (const seed of desc.seeds) {
        const id = `${method}-r${desc.rank}-b${desc.batch}-lr${learningRate.toExponential(2)}-s${seed}`;
        trials.push({id, method, rank: desc.rank, alpha: desc.alpha, batchSize: desc.batch, learningRate, seed});
      }
    }
  }
  bodies.push({
    event: 'run-started',
    name: 'desc',
    trials,
    engine: 'compiled',
    reason: 'fastest one here',
    workers: 2,
    resumed: false,
    steps: {[desc.batch]: desc.steps},
  });
  for (const [name, method] of methods) {
    const measured = desc.methods[name]!;
    desc.lr.forEach((rate, r) => {
      const pair = trials.filter(trial => trial.method === method && trial.learningRate === rate);
      const ids = pair.map(trial => trial.id);
      pair.forEach((trial, worker) => {
        bodies.push({event: 'trial-started', trial: trial.id, steps: desc.steps, worker});
      });
      for (let step = 1; step <= desc.steps; step += stepEvery) {
        bodies.push({
          event: 'step',
          trials: ids,
          step,
          losses: pair.map((_, s) => drawnLoss(measured.train_loss_last20[s]![r]!, step / desc.steps, step)),
          rates: ids.map(() => rate),
          gradNorms: ids.map(() => 1),
        });
      }
      pair.forEach(({id, seed}) => {
        const s = desc.seeds.indexOf(seed);
        const [accuracy, loss] = [measured.acc[s]![r]!, measured.test_loss[s]![r]!];
        const at = {event: 'evaluation', trial: id, step: desc.steps, total: rows} as const;
        const correct = Math.round(accuracy * rows);
        bodies.push({...at, task: 'exact-match', metric: 'accuracy', value: correct / rows, correct});
        bodies.push({...at, task: 'loss', metric: 'loss', value: loss, correct: null});
        bodies.push({event: 'trial-ended', trial: id, state: 'finished', steps: desc.steps, seconds: 3});
      });
    });
  }
  bodies.push({event: 'run-ended', state: 'finished', seconds: 240});
  return bodies.map((body, k) => ({...body, at: 1_760_000_000_000 + 40 * k}));
}

function drawnLoss(end: number, done: number, step: number): number {
  return (end + (7.25 - end) * Math.exp(-7 * done)) * (1 + 0.15 * Math.sin(step * 12.9898));
}
