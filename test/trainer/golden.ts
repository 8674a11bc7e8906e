/** Reads the reference numbers made with PyTorch and PEFT (test/fixtures/goldens/README.md), and sets up their cases. */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {MethodName} from '../../core/method/methods.ts';
import {weightVector} from '../../trainer/adaptation/full.ts';
import {fill, sharedLayout, trainedLayout} from '../../trainer/adaptation/layout.ts';
import {readAdapter} from '../../trainer/adapter/write-adapter.ts';
import {collate, emptyBatch} from '../../trainer/data/batch.ts';
import {type BatchShape, paddedShape} from '../../trainer/data/shapes.ts';
import {plainTraining} from '../../trainer/doctor/gpu/plain-training.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import type {Form} from '../../trainer/method/form.ts';
import {methods} from '../../trainer/method/index.ts';
import type {Method} from '../../trainer/method/method.ts';
import type {Model} from '../../trainer/model/decoder.ts';
import {type BaseModel, openFolder} from '../../trainer/model/open-model.ts';
import {projections} from '../../trainer/model/projections.ts';
import type {Site} from '../../trainer/model/site.ts';
import {sitesOf} from '../../trainer/model/sites.ts';
import {Pack, type PackBatch, type PackStart} from '../../trainer/step/step.ts';
import {together} from '../../trainer/training/open-pack.ts';
import {readHeader, readTensor} from '../../trainer/weights/safetensors.ts';

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

/** Tokens, padding left out. */
export function tokensIn({attention_mask}: GoldenBatch): number {
  return attention_mask.flat().filter(Boolean).length;
}

/** Tokens to predict. */
export function targetsIn(batches: GoldenBatch[]): number {
  return batches.flatMap(batch => batch.labels.flatMap(row => row.slice(1))).filter(label => label !== -100).length;
}

/**
 * A golden batch for `trials` trials that all see it; the loss is weighted by 1/`tokens`. `room`: places for targets, at
 * least; those beyond the batch's own carry no weight. `unpadded`: rows one after another in so many tokens, for attention in these groups, behind what they begin with.
 */
export function packBatch(
  golden: GoldenBatch,
  trials: number,
  tokens: number,
  {room = 0, unpadded}: {room?: number; unpadded?: Pick<BatchShape, 'groups' | 'tokens' | 'beginning'>} = {},
): PackBatch {
  const {input_ids, attention_mask, labels} = golden;
  const lengths = attention_mask.map(row => row.filter(Boolean).length);
  const starts = Int32Array.from([0, ...lengths], (_, row) =>
    lengths.slice(0, row).reduce((sum, length) => sum + length, 0),
  );
  const own = (rows: number[][]) => Int32Array.from(rows.flatMap((row, i) => row.slice(0, lengths[i])));
  const rows = lengths.map((_, row) => row);
  const dataset = {count: rows.length, starts, ids: own(input_ids), labels: own(labels), truncated: 0, empty: 0};
  const padded = paddedShape(rows.length, input_ids[0]!.length, Math.max(room, 1 + targetsIn([golden])));
  const shape = unpadded ? {...padded, ...unpadded} : padded;
  const whole = emptyBatch(shape, trials);
  for (let trial = 0; trial < trials; trial++) collate(dataset, rows, shape, 0, whole, {trial, trials});
  return {shape, ...whole, weights: whole.weights.map(weight => weight / tokens), noise: new Float32Array(0)};
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
  /** Of AdaLoRA, after each step: which triplets are left, by layer; empty before any was dropped. */
  kept?: number[][][];
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
  alpha: number;
  scaling?: number;
  /** Of LoRA+. */
  b_rate_ratio?: number;
  init: string;
  /** In place of what the adapter's configuration says. */
  options?: Record<string, number>;
  cases: Record<string, GoldenCase>;
}

const methodNames: Record<string, MethodName> = {
  ...{initab: 'init-ab', loraga: 'lora-ga', lorafa: 'lora-fa'},
  ...{
    loraplus: 'lora',
    doraplus: 'dora',
    pissaplus: 'pissa',
    lokrboth: 'lokr',
    oftcayley: 'oft',
    vblora: 'vb-lora',
    cordakpm: 'corda',
  },
};

/** Under which the methods' own settings stand in the adapters' configurations. */
const optionNames: Record<string, Record<string, string>> = {
  vera: {d_initial: 'd_initial'},
  gralora: {blocks: 'gralora_k'},
  boft: {block_size: 'boft_block_size', butterfly_factor: 'boft_n_butterfly_factor'},
  lokr: {decompose_both: 'decompose_both', decompose_factor: 'decompose_factor'},
  delora: {lambda: 'delora_lambda'},
  'vb-lora': {num_vectors: 'num_vectors', vector_length: 'vector_length', topk: 'topk'},
  adalora: Object.fromEntries(
    ['init_r', 'tinit', 'tfinal', 'deltaT', 'beta1', 'beta2', 'orth_reg_weight'].map(key => [key, key]),
  ),
  oft: {
    block_size: 'oft_block_size',
    use_cayley_neumann: 'use_cayley_neumann',
    num_cayley_neumann_terms: 'num_cayley_neumann_terms',
    block_share: 'block_share',
  },
};

/** The method of a run and its form. */
export function goldenMethod(run: GoldenRun): {name: MethodName; method: Method | 'full'; form: Form} {
  const name = methodNames[run.method] ?? (run.method as MethodName);
  if (name === 'full') return {name, method: 'full', form: {rank: 0, scale: 1, options: {}}};
  const config = goldenJson<Record<string, number | boolean>>(`train/${run.init}/adapter_config.json`);
  const own = Object.entries(optionNames[name] ?? {}).map(([key, peft]) => [key, Number(config[peft])] as const);
  const plus = run.b_rate_ratio === undefined ? {} : {b_rate_ratio: run.b_rate_ratio};
  const form = {
    rank: run.r,
    scale: run.scaling ?? run.alpha / run.r,
    options: {...Object.fromEntries(own), ...plus, ...run.options},
  };
  return {name, method: methods[name], form};
}

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
  const {method, form} = goldenMethod(run);
  const sites = sitesOf(model.config.layers.length, [...projections], model.weights);
  const start =
    method === 'full' ? {parameters: weightVector(model.config, model.weights)} : startOf(run, sites, method, form);
  const repeated = (vector: Float32Array) => together(Array.from({length: trials}, () => vector));
  const training = {...plainTraining, weightDecay: weight_decay, schedule: 'cosine' as const, warmupRatio: 2 / 12};
  const settings = {...model, method, sites, form, trials, training, merged, recompute, steps: 12};
  const {parameters, shared} = start;
  return new Pack(new Programs(engine), settings, {
    parameters: repeated(parameters),
    ...(shared ? {shared: repeated(shared)} : {}),
  });
}

/** The training of a case at its high rates, which may be begun several times; `steps` goes on until so many are done. */
export function goldenTraining(engine: Engine, run: GoldenRun) {
  const {train} = goldenJson<{train: GoldenBatch[]}>('train/dataset.json');
  const room = Math.max(...train.map(batch => targetsIn([batch])));
  const reference = run.cases['high']!;
  return {
    open: () => goldenPack(engine, run, reference, 1, true),
    async steps(pack: Pack, to: number): Promise<void> {
      while (pack.count < to) {
        const batch = train[pack.count]!;
        const rate = Float32Array.of(reference.lr_per_step[pack.count]!);
        await pack.step([packBatch(batch, 1, targetsIn([batch]), {room})], rate, Float32Array.of(1));
      }
    },
  };
}

/** The starting point that PEFT stored. */
function startOf(run: GoldenRun, sites: Site[], method: Method, form: Form): PackStart {
  const {factors, shared} = readAdapter(golden(`train/${run.init}`));
  const layout = trainedLayout(sites, method, form);
  const parameters = new Float32Array(layout.size);
  fill(parameters, layout, new Map([...factors, ['', shared]]));
  const common = sharedLayout(sites, method, form);
  if (common.size === 0) return {parameters};
  const vector = new Float32Array(common.size);
  fill(vector, common, new Map([['', shared]]));
  return {parameters, shared: vector};
}
