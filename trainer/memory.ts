/** How much memory a training takes, and how many workers and rows at a time fit in this machine's. */
import {totalmem} from 'node:os';
import {SweepError} from '../core/error.ts';
import {activationBytes, type KeptBy, type StepSize} from './activations.ts';
import type {Site} from './method/method.ts';
import {isPlain} from './model/expanded.ts';
import type {WeightIndex} from './model/weights.ts';

export interface TrainingSize extends KeptBy {
  weights: Pick<WeightIndex, 'tensors'>;
  /** Trained numbers of one trial, at most. */
  parameters: number;
  /** Bytes that a trial's evaluations take beside its training. */
  evaluating: number;
}

/** The command itself: Node.js, its code, the runtime's libraries. */
const commandBytes = 120e6;
/** Of a worker before it loads anything: a JavaScript heap with the trainer's code, and the runtime's own. */
const workerBytes = 80e6;
/** Of a worker for each layer of the model: the nodes of its compiled programs. */
const layerBytes = 4e6;
/** Of the memory of the machine, or of a GPU, what a run may take. */
const share = 0.8;
const float = 4;

/** Bytes of the frozen weights, which all workers share: mapped where they are float32, expanded once otherwise. */
export function weightBytes({tensors}: Pick<WeightIndex, 'tensors'>): number {
  return [...tensors.values()].reduce(
    (sum, stored) => sum + (isPlain(stored) ? stored.length : float * stored.shape.reduce((a, b) => a * b, 1)),
    0,
  );
}

/** Bytes of the adapted weights in float32. */
export function adaptedBytes(sites: readonly Site[]): number {
  return float * sites.reduce((sum, {inputs, outputs}) => sum + inputs * outputs, 0);
}

/**
 * Bytes of one worker that trains a pack of `trials`. Parameters and two moments stand twice, as read and as written; their
 * start, the gathered gradient and a step's gradients and updates once each.
 */
export function workerMemory(size: TrainingSize, step: StepSize, trials = 1): number {
  const {config, parameters, evaluating} = size;
  const own = activationBytes(size, step) + evaluating + 12 * float * parameters;
  return workerBytes + config.layers.length * layerBytes + trials * own;
}

/**
 * Whether only the hidden states between layers are to be kept: as the sweep file says, or where these batches would not
 * fit whole, `trials` at a time on each of the `workers`, or one on the GPU where there is one.
 */
export function recomputes(
  checkpoint: 'auto' | boolean,
  size: Omit<TrainingSize, 'recompute'>,
  batches: readonly StepSize[],
  {workers, trials}: {workers: number; trials: number},
  device?: DeviceRoom,
): boolean {
  if (checkpoint !== 'auto') return checkpoint;
  const whole = {...size, recompute: false};
  if (device) return batches.some(batch => deviceMemory(whole, batch, 1) > share * device.bytes);
  const room = share * totalmem() - commandBytes - weightBytes(size.weights);
  return batches.some(batch => workers * workerMemory(whole, batch, trials) > room);
}

/** Bytes on a GPU of a pack of `trials`: the weights lie there in float32, once. */
export function deviceMemory(size: TrainingSize, step: StepSize, trials: number): number {
  const {parameters, weights} = size;
  const numbers = [...weights.tensors.values()].map(({shape}) =>
    shape.reduce((product, length) => product * length, 1),
  );
  const own = activationBytes(size, step) + 12 * float * parameters;
  return float * numbers.reduce((sum, count) => sum + count, 0) + trials * own;
}

/** Memory of a GPU. */
export interface DeviceRoom {
  bytes: number;
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
  const base = commandBytes + weightBytes(size.weights);
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

/**
 * The plan of a run on a GPU: one worker.
 * @throws SweepError `no-memory` where the machine has no room for the worker itself
 */
export function planDevice(size: TrainingSize, step: StepSize, trials: number, wanted: 'auto' | number): MemoryPlan {
  const onDevice = deviceMemory(size, step, trials);
  const notes =
    wanted === 'auto' || wanted === 1 ? [] : [`One worker a GPU: run.workers (${wanted}) does not apply to it.`];
  return {workers: 1, threads: 1, bytes: commandBytes + workerBytes + onDevice, notes};
}

/** Trials that fit into one pack, on the GPU where there is one, at least one. */
export function trialsThatFit(size: TrainingSize, step: StepSize, device?: DeviceRoom): number {
  if (device) {
    const alone = deviceMemory(size, step, 1);
    const each = deviceMemory(size, step, 2) - alone;
    return Math.max(1, 1 + Math.floor((share * device.bytes - alone) / each));
  }
  const room = share * totalmem() - commandBytes - weightBytes(size.weights);
  const alone = workerMemory(size, step, 1);
  const each = workerMemory(size, step, 2) - alone;
  return Math.max(1, 1 + Math.floor((room - alone) / each));
}

/**
 * The largest number of rows at a time (halved from the whole batch) of which `workers` fit side by side, or one on the
 * GPU where there is one.
 */
export function microBatchFor(size: TrainingSize, batch: StepSize, workers: number, device?: DeviceRoom): number {
  const room = device
    ? share * device.bytes
    : (share * totalmem() - commandBytes - weightBytes(size.weights)) / workers;
  const need = (step: StepSize) => (device ? deviceMemory(size, step, 1) : workerMemory(size, step));
  let rows = batch.rows;
  while (rows > 1 && need(partOf(batch, rows)) > room) rows = Math.ceil(rows / 2);
  return rows;
}

/** A batch of which `rows` are computed at a time. */
export function partOf(batch: StepSize, rows: number): StepSize {
  return {...batch, rows, targets: Math.ceil((batch.targets * rows) / batch.rows)};
}
