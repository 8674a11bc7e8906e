/** How much memory a training takes, and how many workers and rows at a time fit in this machine's. */

import {SweepError} from '../../core/error.ts';
import {product} from '../../core/numbers.ts';
import {formatMemory} from '../../core/run/format.ts';
import {type BatchShape, rowsOf} from '../data/shapes.ts';
import type {Precision} from '../engine/program/precision.ts';
import type {Site} from '../model/site.ts';
import type {WeightIndex} from '../model/weights.ts';
import {allocatedMemory} from '../process/allocation.ts';
import {freeAddresses} from '../process/memory-limit.ts';
import {isPlain} from '../weights/expanded.ts';
import {activationBytes, type EvaluationMemory, type KeptBy} from './activations.ts';

export interface TrainingSize extends KeptBy {
  weights: Pick<WeightIndex, 'tensors'>;
  /** Trained numbers of one trial, at most. */
  parameters: number;
  /** Frozen numbers of one trial that all its sites share, at most (VeRA, RandLoRA). */
  shared: number;
  /** Bytes of what a start from training rows is made of: gradients of the adapted weights (LoRA-GA), what they read (EVA, CorDA). */
  starting: number;
  /** On the native engine, whose workers hold frozen weights of their own: in which precision. */
  native?: Precision | undefined;
  /** What a trial's evaluations take beside its training. */
  evaluating: EvaluationMemory;
}

/** The command itself: Node.js, its code, rows of usual size. */
const commandBytes = 140e6;
/** Pages of TensorFlow's libraries. */
const nativeBytes = 220e6;
/** Of a worker before it compiles anything: a JavaScript heap with the trainer's code, and the runtime's own. */
const workerBytes = 45e6;
/** The nodes of a compiled program, for each layer: of a forward pass, of a training step, and of one that computes layers again. */
const [forwardLayerBytes, stepLayerBytes, againLayerBytes] = [2.4e6, 4e6, 6e6];
/** Of the tokenizer, for each token that there is. */
const tokenBytes = 700;
/**
 * Vectors as long as the trained one: parameters and two moments as read and as written, their start, the gathered
 * gradient (8); while a step updates them, the pieces of its gradient and what the optimizer makes of it (8); and the
 * copies that a checkpoint is written from (4).
 */
const vectors = 20;
/** What the runtime takes for the tensors of a program is not used without gaps; measured between 1.0 and 1.2. */
const gaps = 1.1;
/** Of the memory of the machine, or of a GPU, what a run may take. */
const share = 0.8;
const float = 4;

/** Bytes of the frozen weights, which all workers share: mapped where they are float32, expanded once otherwise. */
export function weightBytes({tensors}: Pick<WeightIndex, 'tensors'>): number {
  return [...tensors.values()].reduce(
    (sum, stored) => sum + (isPlain(stored) ? stored.length : float * product(stored.shape)),
    0,
  );
}

/** Bytes of the adapted weights in float32. */
export function adaptedBytes(sites: readonly Site[]): number {
  return float * sites.reduce((sum, {inputs, outputs}) => sum + inputs * outputs, 0);
}

/**
 * Bytes of weights that every compiled program maps from their files for itself: the pages are there once, but count
 * each time in what the system calls resident.
 */
function mappedBytes({weights, native}: TrainingSize): number {
  if (native !== undefined) return 0;
  return [...weights.tensors.values()].reduce((sum, stored) => sum + (isPlain(stored) ? stored.length : 0), 0);
}

/** Bytes of one worker that trains a pack of `trials` in steps of these sizes, and evaluates it: one at a time, in the same memory. */
export function workerMemory(size: TrainingSize, steps: readonly BatchShape[], trials = 1): number {
  const {config, weights, native, parameters, shared, starting, evaluating, recompute} = size;
  const kept = Math.max(evaluating.bytes, ...steps.map(step => activationBytes(size, step)));
  const own = gaps * kept + float * (vectors * parameters + shared);
  const frozen = native === undefined ? 0 : (native === 'bfloat16' ? 2 : float) * numbersOf(weights);
  const layer = steps.length * (recompute ? againLayerBytes : stepLayerBytes) + evaluating.programs * forwardLayerBytes;
  return workerBytes + config.layers.length * layer + frozen + starting + trials * own;
}

/** Of several kinds of batches, of which a worker has one at a time, the one that takes most. */
export function heaviest(size: TrainingSize, kinds: readonly (readonly BatchShape[])[]): readonly BatchShape[] {
  return kinds.reduce((most, steps) => (workerMemory(size, steps) > workerMemory(size, most) ? steps : most), []);
}

/**
 * Whether only the hidden states between layers are to be kept: as the sweep file says, or where one of these kinds of
 * batches (each with the shapes it has programs for) would not fit whole, `trials` at a time on each of the `workers`, or one on the GPU where there is one.
 */
export function recomputes(
  checkpoint: 'auto' | boolean,
  size: Omit<TrainingSize, 'recompute'>,
  kinds: readonly (readonly BatchShape[])[],
  {workers, trials}: {workers: number; trials: number},
  device?: DeviceRoom,
): boolean {
  if (checkpoint !== 'auto') return checkpoint;
  const whole = {...size, recompute: false};
  if (device) return kinds.some(steps => deviceMemory(whole, steps, 1) > share * device.bytes);
  const room = share * allocatedMemory() - baseBytes(size);
  return kinds.some(steps => workers * workerMemory(whole, steps, trials) > room);
}

/** Bytes of the command and of what all workers share. */
function baseBytes({config, weights, native}: Pick<TrainingSize, 'config' | 'weights' | 'native'>): number {
  return commandBytes + tokenBytes * config.vocabSize + (native === undefined ? weightBytes(weights) : nativeBytes);
}

/** Bytes on a GPU of a pack of `trials`: the weights lie there in float32, once, and programs share their memory. */
export function deviceMemory(size: TrainingSize, steps: readonly BatchShape[], trials: number): number {
  const {parameters, shared, weights} = size;
  const kept = gaps * Math.max(0, ...steps.map(step => activationBytes(size, step)));
  const own = kept + float * (vectors * parameters + shared);
  return float * numbersOf(weights) + trials * own;
}

const numbersOf = ({tensors}: Pick<WeightIndex, 'tensors'>): number =>
  [...tensors.values()].reduce((sum, {shape}) => sum + product(shape), 0);

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
  steps: readonly BatchShape[],
  trials: number,
  packs: number,
  wanted: 'auto' | number,
  cores: number,
): MemoryPlan {
  const each = workerMemory(size, steps, trials);
  const base = baseBytes(size);
  const room = share * allocatedMemory() - base;
  const fitting = Math.floor(Math.min(room / each, workersInAddresses(each)));
  if (fitting < 1)
    throw new SweepError(
      'no-memory',
      `One trial needs about ${formatMemory(base + each)}, but only ${formatMemory(share * allocatedMemory())} of the memory here may be used; set training.micro_batch lower, or use shorter rows (data.max_length).`,
    );
  if (freeAddresses() < reservedBytes)
    throw new SweepError(
      'no-memory',
      `A worker takes about ${formatMemory(reservedBytes + each)} of addresses, but the limit of this process (ulimit -v) leaves ${formatMemory(freeAddresses())}; raise it, or limit resident memory instead.`,
    );
  const asked = Math.max(1, Math.min(wanted === 'auto' ? cores : wanted, packs));
  const workers = Math.min(asked, fitting);
  const notes =
    workers < asked
      ? [`Memory allows ${workers} trials side by side instead of ${asked}: each takes about ${formatMemory(each)}.`]
      : [];
  const mappings = workers * (steps.length + size.evaluating.programs) - 1;
  const bytes = base + workers * each + mappings * mappedBytes(size);
  return {workers, threads: Math.max(1, Math.floor(cores / workers)), bytes, notes};
}

/** Addresses that V8 and the C library reserve for a thread, mostly without using them; measured 0.67e9. */
const reservedBytes = 0.7e9;

/** Workers for which there are addresses, where those are limited. */
function workersInAddresses(each: number): number {
  return Math.max(1, (share * freeAddresses()) / (reservedBytes + each));
}

/**
 * The plan of a run on a GPU: one worker.
 * @throws SweepError `no-memory` where the machine has no room for the worker itself
 */
export function planDevice(
  size: TrainingSize,
  steps: readonly BatchShape[],
  trials: number,
  wanted: 'auto' | number,
): MemoryPlan {
  const onDevice = deviceMemory(size, steps, trials);
  const notes =
    wanted === 'auto' || wanted === 1 ? [] : [`One worker a GPU: run.workers (${wanted}) does not apply to it.`];
  return {workers: 1, threads: 1, bytes: commandBytes + workerBytes + onDevice, notes};
}

/** Trials that fit into one pack, on the GPU where there is one, at least one. */
export function trialsThatFit(size: TrainingSize, steps: readonly BatchShape[], device?: DeviceRoom): number {
  if (device) {
    const alone = deviceMemory(size, steps, 1);
    const each = deviceMemory(size, steps, 2) - alone;
    return Math.max(1, 1 + Math.floor((share * device.bytes - alone) / each));
  }
  const room = share * allocatedMemory() - baseBytes(size);
  const alone = workerMemory(size, steps, 1);
  const each = workerMemory(size, steps, 2) - alone;
  return Math.max(1, 1 + Math.floor((room - alone) / each));
}

/**
 * The largest number of rows at a time (halved from the whole batch) of which `workers` fit side by side, or one on the
 * GPU where there is one.
 */
export function microBatchFor(
  size: TrainingSize,
  batch: readonly BatchShape[],
  workers: number,
  device?: DeviceRoom,
): number {
  const room = device ? share * device.bytes : (share * allocatedMemory() - baseBytes(size)) / workers;
  const need = (steps: BatchShape[]) => (device ? deviceMemory(size, steps, 1) : workerMemory(size, steps));
  let rows = Math.max(1, ...batch.map(rowsOf));
  while (rows > 1 && need(batch.map(step => partOf(step, rows))) > room) rows = Math.ceil(rows / 2);
  return rows;
}

/** A batch of which `rows` are computed at a time. */
export function partOf(batch: BatchShape, rows: number): BatchShape {
  const whole = rowsOf(batch);
  const share = (count: number) => Math.ceil((count * rows) / whole);
  // The same share of every group.
  const ends = batch.groups.map((_, i) => share(rowsOf({groups: batch.groups.slice(0, i + 1)})));
  const groups = batch.groups.map(({length}, i) => ({rows: ends[i]! - (ends[i - 1] ?? 0), length}));
  const {beginning = 0} = batch;
  return {
    ...batch,
    groups: groups.filter(group => group.rows > 0),
    tokens: beginning + share(batch.tokens - beginning),
    targets: share(batch.targets),
  };
}
