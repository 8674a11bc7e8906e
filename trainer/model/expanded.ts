/**
 * Weights that are not stored as float32, expanded in shared memory: once for all threads that compute with them, by
 * whichever needs them first. Nothing is written to disk.
 */
import {readTensor, type StoredTensor} from './safetensors.ts';

/** What threads share; passed to a worker as it is. */
export interface SharedExpansion {
  /** Memory of each tensor, by `keyOf`; pages that are never used cost nothing. */
  values: ReadonlyMap<string, {data: Float32Array; index: number}>;
  /** Of each tensor: 0 untouched, 1 being filled, 2 ready. */
  states: Int32Array;
}

const [untouched, filling, ready] = [0, 1, 2];
/** A thread that ended while it filled a tensor is not waited for longer than this; filling twice does no harm. */
const patienceMilliseconds = 20_000;

/** Whether a tensor can be computed with as it lies in its file. */
export function isPlain({dtype, interleavedHeads}: Pick<StoredTensor, 'dtype' | 'interleavedHeads'>): boolean {
  return dtype === 'F32' && interleavedHeads === undefined;
}

const keyOf = ({file, offset}: StoredTensor): string => `${file} ${offset}`;

/** Room for all tensors that need expansion. */
export function shareExpansion(tensors: Iterable<StoredTensor>): SharedExpansion {
  const values = new Map<string, {data: Float32Array; index: number}>();
  for (const stored of tensors) {
    if (isPlain(stored) || values.has(keyOf(stored))) continue;
    const count = stored.shape.reduce((product, size) => product * size, 1);
    values.set(keyOf(stored), {data: new Float32Array(new SharedArrayBuffer(4 * count)), index: values.size});
  }
  return {values, states: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, values.size)))};
}

/** A tensor as float32, row-major; the memory is shared and must not be written. */
export function expanded(stored: StoredTensor, {values, states}: SharedExpansion): Float32Array {
  const own = values.get(keyOf(stored));
  if (own === undefined) return readTensor(stored);
  const {data, index} = own;
  if (Atomics.compareExchange(states, index, untouched, filling) === filling)
    Atomics.wait(states, index, filling, patienceMilliseconds);
  if (Atomics.load(states, index) !== ready) {
    readTensor(stored, data);
    Atomics.store(states, index, ready);
    Atomics.notify(states, index);
  }
  return data;
}
