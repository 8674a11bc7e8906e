/**
 * Weights that are not stored as float32, expanded in shared memory: once for all threads that compute with them, by
 * whichever needs them first. Nothing is written to disk, unless this Node's native interface takes no shared memory.
 */
import {product} from '../../core/numbers.ts';
import {type ExpansionFile, shareFile} from './expansion-file.ts';
import {once} from './once.ts';
import {readTensor, type StoredTensor} from './safetensors.ts';

/** What threads share; passed to a worker as it is. */
export interface SharedExpansion {
  /** Memory of each tensor, by `keyOf`; pages that are never used cost nothing. */
  values: ReadonlyMap<string, {data: Float32Array; index: number}>;
  /** Of each tensor, for `once`. */
  states: Int32Array;
  /** Instead of the memory, where the runtime cannot read that; null where nothing needs expansion. */
  file: ExpansionFile | null;
}

/** Whether a tensor can be computed with as it lies in its file. */
export function isPlain({dtype, interleavedHeads}: Pick<StoredTensor, 'dtype' | 'interleavedHeads'>): boolean {
  return dtype === 'F32' && interleavedHeads === undefined;
}

const keyOf = ({file, offset}: StoredTensor): string => `${file} ${offset}`;

/** Room for all tensors that need expansion. */
export function shareExpansion(tensors: Iterable<StoredTensor>): SharedExpansion {
  const values = new Map<string, {data: Float32Array; index: number}>();
  const all = [...tensors];
  for (const stored of all) {
    if (isPlain(stored) || values.has(keyOf(stored))) continue;
    const count = product(stored.shape);
    values.set(keyOf(stored), {data: new Float32Array(new SharedArrayBuffer(4 * count)), index: values.size});
  }
  const states = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, values.size)));
  return {values, states, file: values.size > 0 ? shareFile(all) : null};
}

/** A tensor as float32, row-major; the memory is shared and must not be written. */
export function expanded(stored: StoredTensor, {values, states}: SharedExpansion): Float32Array {
  const own = values.get(keyOf(stored));
  if (own === undefined) return readTensor(stored);
  const {data, index} = own;
  once(states, index, () => readTensor(stored, data));
  return data;
}
