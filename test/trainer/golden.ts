/** Reads the reference numbers made with PyTorch and PEFT (test/fixtures/goldens/README.md), and sets up their cases. */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {MethodName, TrainingSettings} from '../../core/sweep/sweep.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import type {Engine} from '../../trainer/engine/engine.ts';
import {Programs} from '../../trainer/engine/programs.ts';
import {methods} from '../../trainer/method/index.ts';
import {fill, layoutOf} from '../../trainer/method/layout.ts';
import type {Model} from '../../trainer/model/decoder.ts';
import {type BaseModel, openFolder} from '../../trainer/model/open-model.ts';
import {readHeader, readTensor} from '../../trainer/model/safetensors.ts';
import {projections, sitesOf} from '../../trainer/model/sites.ts';
import {Pack, type PackBatch} from '../../trainer/step.ts';

const folder = fileURLToPath(new URL('../fixtures/goldens/', import.meta.url));

export const golden = (path: string): string => `${folder}${path}`;

export function goldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(golden(path), 'utf8')) as T;
}

export function goldenTensors(path: string): Map<string, {data: Float32Array; shape: number[]}> {
  return new Map(
    [...readHeader(golden(path)).tensors].map(([name, stored]) => [
      name,
      {data: readTensor(stored), shape: stored.shape},
    ]),
  );
}

/** The same without shapes. */
export function goldenValues(path: string): Map<string, Float32Array> {
  return new Map([...goldenTensors(path)].map(([name, {data}]) => [name, data]));
}

/** Engines every golden is followed on. */
export const engines: Record<string, () => Promise<Engine>> = {
  compiled: () => openEngine('compiled', {threads: 1}),
  'eager cpu': () => openEngine('cpu', {threads: 1}),
  'eager wasm': () => openEngine('wasm', {threads: 1}),
};

export interface GoldenBatch {
  input_ids: number[][];
  attention_mask: number[][];
  labels: number[][];
}

/** The base model inside a computation's body. */
export function modelOn(engine: Engine, {config, weights}: BaseModel): Model {
  return {config, macros: engine.macros({merged: false}), weight: name => engine.weight(weights.tensors.get(name)!)};
}

/** Tokens to predict. */
export function targetsIn(batches: GoldenBatch[]): number {
  return batches.flatMap(batch => batch.labels.flatMap(row => row.slice(1))).filter(label => label !== -100).length;
}

/**
 * A golden batch for `trials` trials that all see it; the loss is weighted by 1/`tokens`. `room`: places for targets, at
 * least; those beyond the batch's own carry no weight.
 */
export function packBatch({input_ids, labels}: GoldenBatch, trials: number, tokens: number, room = 0): PackBatch {
  const length = input_ids[0]!.length;
  const targets: number[] = [];
  const positions: number[] = [];
  labels.forEach((row, i) => {
    row.forEach((label, t) => {
      if (t === 0 || label === -100) return;
      targets.push(label);
      positions.push(i * length + t - 1);
    });
  });
  const weights = targets.map(() => 1 / tokens);
  for (; targets.length < room; weights.push(0)) {
    targets.push(0);
    positions.push(0);
  }
  const each = <T>(values: T[], of: (value: T, trial: number) => number) =>
    Array.from({length: trials}, (_, trial) => values.map(value => of(value, trial))).flat();
  const rows = input_ids.length * length;
  return {
    shape: {batch: input_ids.length, length, targets: targets.length},
    ids: Int32Array.from(each(input_ids.flat(), id => id)),
    targets: Int32Array.from(each(targets, id => id)),
    positions: Int32Array.from(each(positions, (position, trial) => position + trial * rows)),
    weights: Float32Array.from(each(weights, weight => weight)),
    noise: new Float32Array(0),
  };
}

interface Series {
  loss: number[];
  grad_norm: number[];
  eval_loss_before: number;
  eval_loss_after: number;
}

export interface GoldenCase {
  lr: number;
  gradient_accumulation: number;
  weight_decay: number;
  lr_per_step: number[];
  final: string;
  f64: Series;
  fp32_vs_f64: {
    loss_max_abs_diff: number;
    grad_norm_max_rel_diff: number;
    eval_loss_after_abs_diff: number;
    logits_max_abs_diff: number;
    weight_update_rel_diff: number;
  };
}

export interface GoldenRun {
  arch: string;
  method: string;
  r: number;
  scaling: number;
  init: string;
  cases: Record<string, GoldenCase>;
}

const methodNames: Record<string, MethodName> = {initab: 'init-ab'};

/** Opens a pack of equal trials at the golden starting point of a run. */
export function goldenPack(
  engine: Engine,
  run: GoldenRun,
  {weight_decay}: GoldenCase,
  trials: number,
  merged: boolean,
  recompute = false,
): Pack {
  const model = openFolder(golden(`models/${run.arch}`));
  const method = methods[methodNames[run.method] ?? (run.method as MethodName)];
  const sites = sitesOf(model.config.layers.length, [...projections], model.weights);
  const stored = goldenTensors(`train/${run.init}/adapter_model.safetensors`);
  const of = (site: string, part: string) => stored.get(`base_model.model.${site}.${part}`)!.data;
  const layout = layoutOf(sites, run.r, method);
  const vector = new Float32Array(layout.size);
  fill(
    vector,
    layout,
    new Map(
      sites.map(({name}) => [
        name,
        {
          A: of(name, 'lora_A.weight'),
          B: of(name, 'lora_B.weight'),
          ...(method.magnitude ? {magnitude: of(name, 'lora_magnitude_vector')} : {}),
        },
      ]),
    ),
  );
  const parameters = new Float32Array(trials * layout.size);
  for (let trial = 0; trial < trials; trial++) parameters.set(vector, trial * layout.size);
  const training: TrainingSettings = {
    epochs: 1,
    optimizer: {name: 'adamw', betas: [0.9, 0.999], eps: 1e-8, momentum: 0},
    weightDecay: weight_decay,
    schedule: 'cosine',
    warmupRatio: 2 / 12,
    maxGradNorm: 1,
    dropout: 0,
    precision: 'auto',
    microBatch: 'auto',
    checkpoint: 'auto',
  };
  const settings = {...model, method, sites, rank: run.r, scale: run.scaling, trials, training, merged, recompute};
  return new Pack(new Programs(engine), settings, parameters);
}
