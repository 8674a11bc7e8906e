/**
 * Runs with something of every chart: all methods of the table and a variant, several ranks, batch sizes and decays, trainings that diverge, a
 * loss and a share, curvature at the start and on the way. Values follow made-up bells over the rate.
 */
import {methodNames} from '../../../core/method/methods.ts';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';

export interface Shape {
  methods: readonly string[];
  ranks: readonly number[];
  batchSizes: readonly number[];
  decays: readonly string[];
  rates: readonly number[];
  seeds: readonly number[];
}

export const grid = (from: number, count: number): number[] =>
  Array.from({length: count}, (_, k) => Number((from * 10 ** (k / 4)).toPrecision(5)));

export const wide: Shape = {
  methods: [...methodNames, 'lora-attention-only'],
  ranks: [4, 128],
  batchSizes: [8, 64],
  decays: ['0', '0.1'],
  rates: grid(1.1247e-5, 12),
  seeds: [1, 2, 3],
};

export function richRun(shape: Partial<Shape> = {}): RunState {
  const whole = {...wide, ...shape};
  const trials = trialsOf(whole);
  const bodies: RunEventBody[] = [
    {
      ...{event: 'run-started', name: 'rich', trials, engine: 'compiled', reason: 'asked', workers: 1, resumed: false},
      steps: Object.fromEntries(whole.batchSizes.map(size => [String(size), 40])),
    },
    ...trials.flatMap(trial => trained(trial, whole)),
    ...curvatures(whole),
    {event: 'run-ended', state: 'finished', seconds: 60},
  ];
  return foldAll(
    emptyRun,
    bodies.map((body, k): RunEvent => ({...body, at: 1_700_000_000_000 + 10 * k})),
  );
}

function trialsOf({methods, ranks, batchSizes, decays, rates, seeds}: Shape): Trial[] {
  const all: Trial[] = [];
  for (const name of methods)
    for (const rank of ranks)
      for (const batchSize of batchSizes)
        for (const decay of decays)
          for (const learningRate of rates)
            for (const seed of seeds) {
              const known = methodNames.find(method => method === name);
              all.push({
                id: `${name}-r${rank}-b${batchSize}-wd${decay}-lr${learningRate}-s${seed}`,
                method: known ?? 'lora',
                ...(known ? {} : {name}),
                ...{rank, alpha: rank, batchSize, learningRate, seed},
                ...(decays.length > 1 && {settings: {'training.weight_decay': decay}}),
              });
            }
  return all;
}

/** A bell over the rate's logarithm, 0..0.9; each method has its own middle. */
function accuracyOf({learningRate, rank, batchSize, seed}: Trial, place: number): number {
  const middle = -4.2 + 0.12 * (place % 9) - 0.1 * Math.log10(rank) + 0.1 * Math.log10(batchSize);
  const off = Math.log10(learningRate) - middle;
  return Math.max(0, 0.9 - 0.35 * off ** 2 + 0.012 * Math.sin(7 * seed + place) - 0.004 * place);
}

function trained(trial: Trial, {methods, rates}: Shape): RunEventBody[] {
  const place = methods.indexOf(trial.name ?? trial.method);
  const {id} = trial;
  const accuracy = accuracyOf(trial, place);
  const isGone = trial.learningRate === rates.at(-1) && (place + trial.seed) % 3 === 0;
  const steps = isGone ? 12 : 40;
  const curve = Array.from(
    {length: steps},
    (_, k): RunEventBody => ({
      ...{event: 'step', trials: [id], step: k + 1, rates: [trial.learningRate]},
      losses: [isGone && k > 8 ? 40 * (k - 7) : 0.2 + (2.5 - accuracy) / (1 + k / 6) + 0.05 * Math.sin(k * trial.seed)],
      gradNorms: [1 / (1 + k / 5) + 0.02],
    }),
  );
  const results: RunEventBody[] = isGone
    ? []
    : [
        {
          event: 'evaluation',
          trial: id,
          step: 40,
          task: 'gsm8k',
          metric: 'accuracy',
          value: accuracy,
          correct: 1,
          total: 2,
        },
        {
          event: 'evaluation',
          trial: id,
          step: 40,
          task: 'loss',
          metric: 'loss',
          value: 1.6 - accuracy,
          correct: null,
          total: 2,
        },
      ];
  return [
    {event: 'trial-started', trial: id, steps: 40, worker: 0},
    ...curve,
    ...results,
    {event: 'trial-ended', trial: id, state: isGone ? 'diverged' : 'finished', steps, seconds: 2},
  ];
}

function curvatures({methods, ranks, batchSizes, rates}: Shape): RunEventBody[] {
  const modules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  const own = methods.filter(name => methodNames.some(method => method === name));
  return own.flatMap((method, place) =>
    modules.flatMap((module, m) =>
      Array.from({length: 28}, (_, layer) => layer).flatMap(layer =>
        [0, 20, 40].map(
          (step): RunEventBody => ({
            ...{event: 'curvature', method, rank: ranks[0]!, batchSize: batchSizes[0]!, seed: 1, step, layer, module},
            lambdaMax: (0.03 * (1 + place) * (1 + m) * Math.exp(Math.sin(layer))) / (1 + step / 30),
            ...{lambdaMin: -0.1, iterations: 20, residual: 1e-4},
            ...(step > 0 && {trial: 'none', learningRate: rates[5]!}),
          }),
        ),
      ),
    ),
  );
}
