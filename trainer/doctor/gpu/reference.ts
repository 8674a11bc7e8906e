/** Reference numbers of PyTorch and PEFT in float64, of one tiny model: what comes with the program is checked against them. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {TrainingSettings} from '../../../core/sweep/sweep.ts';
import {fill, trainedLayout} from '../../adaptation/layout.ts';
import {readAdapter} from '../../adapter/write-adapter.ts';
import {collate, emptyBatch} from '../../data/batch.ts';
import {datasetOf} from '../../data/dataset.ts';
import {paddedShape} from '../../data/shapes.ts';
import type {TokenRow} from '../../data/token-row.ts';
import type {Engine} from '../../engine/program/engine.ts';
import {Programs} from '../../engine/program/programs.ts';
import {methods} from '../../method/index.ts';
import {causalAttention, frozenProjection, hidden, logitsFrom} from '../../model/decoder.ts';
import {type BaseModel, openFolder} from '../../model/open-model.ts';
import {paddedRows} from '../../model/places.ts';
import {sitesOf} from '../../model/sites.ts';
import {Pack, type PackBatch} from '../../step/step.ts';
import {together} from '../../training/open-pack.ts';
import {readHeader, readTensor} from '../../weights/safetensors.ts';
import {plainTraining} from './plain-training.ts';

/** As source they lie with the tests, as built beside the program (esbuild.mjs). */
const folder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../test/fixtures/goldens/' : './goldens/', import.meta.url),
);

/** Another order of summation in float32 stays within this many times float32's own distance from float64. */
const slack = 10;

interface Rows {
  input_ids: number[][];
  attention_mask: number[][];
  labels: number[][];
}

interface Case {
  lr_per_step: number[];
  f64: {loss: number[]; grad_norm: number[]; eval_loss_after: number};
  fp32_vs_f64: {loss_max_abs_diff: number; grad_norm_max_rel_diff: number; eval_loss_after_abs_diff: number};
}

interface Training {
  r: number;
  scaling: number;
  init: string;
  cases: {high: Case};
}

interface Forward extends Rows {
  fp32_vs_f64: {logits_max_abs_diff: number};
}

const json = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const model = (): BaseModel => openFolder(join(folder, 'models/qwen3'));

/** Training rows as a data file of format tokens has them. */
export function referenceRows(): {model: string; rows: TokenRow[]} {
  const {train} = json<{train: Rows[]}>('train/dataset.json');
  return {model: join(folder, 'models/qwen3'), rows: train.flatMap(rowsOf)};
}

function rowsOf({input_ids, attention_mask, labels}: Rows): TokenRow[] {
  return input_ids.map((ids, row) => {
    const length = attention_mask[row]!.filter(Boolean).length;
    return {ids: ids.slice(0, length), labels: labels[row]!.slice(0, length)};
  });
}

/** How far an engine is from the reference: shares of what float32 explains, above 1 it computes wrongly. */
export interface Distances {
  logits: number;
  losses: number;
  gradients: number;
  /** The loss of held-out rows after the training. */
  after: number;
}

/** Logits of a batch, and twelve steps of LoRA. */
export async function followReference(engine: Engine): Promise<Distances> {
  const {training, steps, evaluate} = openTraining(new Programs(engine), 1);
  const {f64, fp32_vs_f64: own} = training;
  const [losses, norms] = [[] as number[], [] as number[]];
  for (let step = 0; step < training.lr_per_step.length; step++) {
    const result = await steps(step, Float32Array.of(training.lr_per_step[step]!));
    losses.push(result.losses[0]!);
    norms.push(result.gradNorms[0]!);
  }
  const [after] = await evaluate();
  const worst = (found: number[], expected: number[], isRelative: boolean) =>
    Math.max(...expected.map((value, step) => Math.abs(found[step]! - value) / (isRelative ? value : 1)));
  // The loss itself is known to float32's resolution at best.
  const resolution = f64.eval_loss_after * 2 ** -23;
  return {
    logits: await logitsApart(engine),
    losses: worst(losses, f64.loss, false) / (slack * own.loss_max_abs_diff),
    gradients: worst(norms, f64.grad_norm, true) / (slack * own.grad_norm_max_rel_diff),
    after: Math.abs(after! - f64.eval_loss_after) / (slack * Math.max(own.eval_loss_after_abs_diff, resolution)),
  };
}

async function logitsApart(engine: Engine): Promise<number> {
  const rows = json<Forward>('forward/qwen3.json');
  const stored = readHeader(join(folder, 'forward/qwen3.safetensors')).tensors.get('logits_f64')!;
  const expected = readTensor(stored);
  const {config, weights} = model();
  const [count, length, vocabulary] = stored.shape as [number, number, number];
  const program = await engine.compile({
    inputs: {ids: {shape: [count * length], dtype: 'int32'}},
    state: {},
    body: ({ids}) => {
      const macros = engine.macros({merged: false});
      const on = {config, macros, weight: (name: string) => engine.weight(weights.tensors.get(name)!)};
      const passes = {project: frozenProjection(on), attend: causalAttention(on)};
      return {logits: logitsFrom(on, hidden(on, ids!, paddedRows(1, count, length), passes))};
    },
  });
  const {logits} = await program.run({ids: Int32Array.from(rows.input_ids.flat())});
  await program.dispose();
  let largest = 0;
  for (const [position, isThere] of rows.attention_mask.flat().entries())
    for (let i = position * vocabulary; isThere === 1 && i < (position + 1) * vocabulary; i++)
      largest = Math.max(largest, Math.abs(logits![i]! - expected[i]!));
  return largest / (slack * rows.fp32_vs_f64.logits_max_abs_diff);
}

/** How trials move in a pack. */
export interface Packed {
  /** A trial beside one that diverges has the bits that it has beside a calm one. */
  isUndisturbed: boolean;
  /** Three steps in a pack from three steps alone: a share of what another order of summation explains. */
  apart: number;
}

/** Three trials of one batch for three steps: calm, beside one that diverges, and alone. */
export async function checkPacks(engine: Engine): Promise<Packed> {
  const rate = 0.01;
  const after = async (programs: Programs, ...rates: number[]) => {
    const {steps, parameters} = openTraining(programs, rates.length);
    const losses: Float32Array[] = [];
    for (let step = 0; step < 3; step++) losses.push((await steps(step, Float32Array.from(rates))).losses);
    const all = await parameters();
    return {losses: losses.map(([first]) => first!), parameters: all.slice(0, all.length / rates.length)};
  };
  const packed = new Programs(engine);
  const calm = await after(packed, rate, rate, rate);
  const wild = await after(packed, rate, 1e30, rate);
  const alone = await after(new Programs(engine), rate);
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).every((value, i) => value === b[i]);
  const {loss_max_abs_diff: own} = json<Training>('train/qwen3-lora.json').cases.high.fp32_vs_f64;
  return {
    isUndisturbed: same(calm.losses, wild.losses) && same(calm.parameters, wild.parameters),
    apart: Math.max(...calm.losses.map((loss, step) => Math.abs(loss - alone.losses[step]!))) / (slack * own),
  };
}

/** As the reference was trained. */
const settings: TrainingSettings = {...plainTraining, schedule: 'cosine', warmupRatio: 2 / 12};

/** `trials` equal trials of LoRA at the reference's start, all of them on its rows. */
function openTraining(programs: Programs, trials: number) {
  const {r: rank, scaling: scale, init, cases} = json<Training>('train/qwen3-lora.json');
  const {train, eval: held} = json<{train: Rows[]; eval: Rows}>('train/dataset.json');
  const base = model();
  const sites = sitesOf(base.config.layers.length, 'all', base.weights);
  const form = {rank, scale, options: {}};
  const layout = trainedLayout(sites, methods.lora, form);
  const start = new Float32Array(layout.size);
  fill(start, layout, readAdapter(join(folder, 'train', init)).factors);
  const parameters = together(Array.from({length: trials}, () => start));
  const {config, weights} = base;
  const own = {config, weights, method: methods.lora, sites, form, trials, training: settings, merged: true};
  const pack = new Pack(programs, {...own, steps: train.length}, {parameters});
  const room = Math.max(...train.map(targetsIn));
  const all = new Float32Array(trials).fill(1);
  return {
    training: cases.high,
    steps: (step: number, rates: Float32Array) => pack.step([batchOf(train[step]!, trials, room)], rates, all),
    evaluate: () => pack.evaluate(batchOf(held, trials, room)),
    parameters: () => pack.parameters(),
  };
}

const targetsIn = (rows: Rows): number =>
  rowsOf(rows).reduce((sum, {labels}) => sum + labels.slice(1).filter(label => label !== -100).length, 0);

/** The same rows for every trial; `room`: places for targets, at least, and one of padding. */
function batchOf(rows: Rows, trials: number, room: number): PackBatch {
  const dataset = datasetOf(rowsOf(rows));
  const targets = targetsIn(rows);
  const shape = paddedShape(dataset.count, rows.input_ids[0]!.length, 1 + Math.max(room, targets));
  const batch = emptyBatch(shape, trials);
  const all = Array.from({length: dataset.count}, (_, row) => row);
  for (let trial = 0; trial < trials; trial++) collate(dataset, all, shape, 0, batch, {trial, trials});
  return {shape, ...batch, weights: batch.weights.map(weight => weight / targets), noise: new Float32Array(0)};
}
