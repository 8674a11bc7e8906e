/** How much memory a training takes, and how many workers and rows at a time fit in this machine's. */
import {totalmem} from 'node:os';
import {SweepError} from '../core/error.ts';
import type {Precision} from './engine/tensorflow.ts';
import type {Site} from './method/method.ts';
import type {ModelConfig} from './model/config.ts';
import type {WeightIndex} from './model/weights.ts';

export interface StepSize {
  /** Rows at a time, padded length, target tokens at most. */
  rows: number;
  length: number;
  targets: number;
}

export interface TrainingSize {
  config: ModelConfig;
  weights: Pick<WeightIndex, 'tensors'>;
  sites: Site[];
  merged: boolean;
  /** Of the frozen weights on the native engine; undefined on others. */
  native?: Precision;
  /** Trained numbers of one trial, at most. */
  parameters: number;
}

/** Of a worker before it loads anything: the JavaScript heap, the runtime and its libraries. */
const workerBytes = 100e6;
/** The command itself. */
const commandBytes = 150e6;
/** Of the machine's memory, what a run may take. */
const share = 0.8;
const float = 4;

/**
 * Bytes of the frozen weights: mapped once where they are float32, expanded in each worker otherwise. `native`: each worker
 * holds its own in this precision.
 */
export function weightBytes(
  {tensors}: Pick<WeightIndex, 'tensors'>,
  native?: Precision,
): {shared: number; perWorker: number} {
  if (native !== undefined) {
    const count = [...tensors.values()].reduce((sum, {shape}) => sum + shape.reduce((a, b) => a * b, 1), 0);
    return {shared: 0, perWorker: (native === 'bfloat16' ? 2 : float) * count};
  }
  let shared = 0;
  let perWorker = 0;
  for (const {dtype, shape, length} of tensors.values()) {
    shared += length;
    if (dtype !== 'F32') perWorker += float * shape.reduce((product, size) => product * size, 1);
  }
  return {shared, perWorker};
}

/** Bytes that grow with the batch: what the forward pass keeps for the backward pass. */
export function activationBytes(config: ModelConfig, {rows, length, targets}: StepSize): number {
  const {hiddenSize, intermediateSize, heads, kvHeads, headDim, layers, vocabSize} = config;
  const tokens = rows * length;
  const attention = 4 * (heads + kvHeads) * headDim + 2 * heads * length;
  const perToken = 8 * hiddenSize + attention + 5 * intermediateSize;
  const logits = 3 * Math.min(targets * vocabSize, 1 << 22) + 4 * targets * hiddenSize;
  return float * (tokens * perToken * layers.length + logits);
}

/** Bytes of the adapted weights in float32. */
export function adaptedBytes(sites: readonly Site[]): number {
  return float * sites.reduce((sum, {inputs, outputs}) => sum + inputs * outputs, 0);
}

/** Bytes of one worker that trains a pack of `trials`. */
export function workerMemory(size: TrainingSize, step: StepSize, trials = 1): number {
  const {config, weights, sites, merged, native, parameters} = size;
  const own = activationBytes(config, step) + (merged ? adaptedBytes(sites) : 0) + 10 * float * parameters;
  return workerBytes + weightBytes(weights, native).perWorker + trials * own;
}

export interface MemoryPlan {
  workers: number;
  /** Inside one operation of each worker. */
  threads: number;
  /** Bytes of the whole run. */
  bytes: number;
  notes: string[];
}

/**
 * One worker a core, as many as there are packs and as memory allows.
 * @throws SweepError `no-memory` where not even one fits
 */
export function planMemory(
  size: TrainingSize,
  step: StepSize,
  trials: number,
  packs: number,
  wanted: 'auto' | number,
  cores: number,
): MemoryPlan {
  const each = workerMemory(size, step, trials);
  const base = commandBytes + weightBytes(size.weights, size.native).shared;
  const room = share * totalmem() - base;
  const fitting = Math.floor(room / each);
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (fitting < 1)
    throw new SweepError(
      'no-memory',
      `One trial needs about ${gigabytes(base + each)}, but only ${gigabytes(share * totalmem())} of this machine's memory may be used; set training.micro_batch lower, or use shorter rows (data.max_length).`,
    );
  const asked = Math.max(1, Math.min(wanted === 'auto' ? cores : wanted, packs));
  const workers = Math.min(asked, fitting);
  const notes =
    workers < asked
      ? [`Memory allows ${workers} trials side by side instead of ${asked}: each takes about ${gigabytes(each)}.`]
      : [];
  return {workers, threads: Math.max(1, Math.floor(cores / workers)), bytes: base + workers * each, notes};
}

/** Trials that fit into one worker's pack, at least one. */
export function trialsThatFit(size: TrainingSize, step: StepSize): number {
  const room = share * totalmem() - commandBytes - weightBytes(size.weights, size.native).shared;
  const alone = workerMemory(size, step, 1);
  const each = workerMemory(size, step, 2) - alone;
  return Math.max(1, 1 + Math.floor((room - alone) / each));
}

/** The largest number of rows at a time (halved from the whole batch) of which `workers` fit side by side. */
export function microBatchFor(size: TrainingSize, batch: StepSize, workers: number): number {
  const room = (share * totalmem() - commandBytes - weightBytes(size.weights, size.native).shared) / workers;
  let rows = batch.rows;
  while (
    rows > 1 &&
    workerMemory(size, {...batch, rows, targets: Math.ceil((batch.targets * rows) / batch.rows)}) > room
  )
    rows = Math.ceil(rows / 2);
  return rows;
}
