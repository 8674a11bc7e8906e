/** Singular triplets kept on disk: the same weight is factorised once, however many sweeps start from it. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../files/cache-folder.ts';
import {storeError} from '../files/write-whole.ts';
import type {Triplets} from '../math/triplets.ts';
import {readHeader, readTensor, type TensorValues, writeSafetensors} from '../weights/safetensors.ts';

/** Part of every key: raise it when math/svd.ts gives other triplets than before. */
const algorithmVersion = 2;

/** Everything the triplets depend on. */
export interface FactorsKey {
  /** [rows, cols] row-major. */
  weight: Float32Array;
  rows: number;
  cols: number;
  end: 'top' | 'bottom' | 'randomised';
  rank: number;
  /** Only for `randomised`. */
  iterations?: number;
  /** Only for `randomised`. */
  seed?: number;
  /** The version of math/subspace that gives them; absent = math/svd does. */
  filtered?: number;
}

export interface CachedTriplets {
  /** Rounded to float32, whether computed or read, so that both start the same training. */
  triplets: Triplets;
  source: 'cache' | 'computed';
  /** Why the triplets could not be kept for the next time, for the log. */
  note?: string;
}

/**
 * The triplets from the cache, or computed and then kept. A damaged file is computed anew and replaced; writers side by
 * side do no harm; a cache that cannot be written costs only the caching.
 */
export async function cachedTriplets(
  key: FactorsKey,
  compute: () => Triplets | Promise<Triplets>,
  folder: string = cacheFolder(),
): Promise<CachedTriplets> {
  const name = nameOf(key);
  const file = join(folder, 'factors', `${name}.safetensors`);
  const kept = read(file, key);
  if (kept) return {triplets: widened(kept), source: 'cache'};
  const computed = await compute();
  const stored: Stored = {
    U: Float32Array.from(computed.U),
    S: Float32Array.from(computed.S),
    V: Float32Array.from(computed.V),
  };
  const triplets = widened(stored);
  try {
    mkdirSync(join(folder, 'factors'), {recursive: true});
    writeSafetensors(file, tensorsOf(stored, key), {sha256: checksum(stored)});
    return {triplets, source: 'computed'};
  } catch (error) {
    return {triplets, source: 'computed', note: notKept(error, folder)};
  }
}

/** The same sentence for every weight, so that a log can say it once. */
function notKept(error: unknown, folder: string): string {
  const why = storeError(error, folder).code === 'disk-full' ? 'its disk is full' : 'it cannot be written';
  return `Factorised weights are not kept for the next run, as the cache is ${folder} and ${why}; LORA_SWEEP_CACHE can name another folder.`;
}

type Stored = Record<keyof Triplets, Float32Array>;

function nameOf({weight, rows, cols, end, rank, iterations, seed, filtered}: FactorsKey): string {
  return createHash('sha256')
    .update(JSON.stringify({algorithmVersion, rows, cols, end, rank, iterations, seed, filtered}))
    .update(bytesOf(weight))
    .digest('hex');
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function checksum({U, S, V}: Stored): string {
  return createHash('sha256').update(bytesOf(U)).update(bytesOf(S)).update(bytesOf(V)).digest('hex');
}

function tensorsOf({U, S, V}: Stored, {rows, cols, rank}: FactorsKey): Map<string, TensorValues> {
  return new Map([
    ['U', {shape: [rows, rank], data: U}],
    ['S', {shape: [rank], data: S}],
    ['V', {shape: [rank, cols], data: V}],
  ]);
}

/** Null when there is no file, or one that is not what was written. */
function read(file: string, {rows, cols, rank}: FactorsKey): Stored | null {
  if (!existsSync(file)) return null;
  try {
    const {tensors, metadata} = readHeader(file);
    const [U, S, V] = ['U', 'S', 'V'].map(name => tensors.get(name)).map(tensor => tensor && readTensor(tensor));
    if (!(U && S && V) || U.length !== rows * rank || S.length !== rank || V.length !== rank * cols) return null;
    return metadata['sha256'] === checksum({U, S, V}) ? {U, S, V} : null;
  } catch {
    return null;
  }
}

function widened({U, S, V}: Stored): Triplets {
  return {U: Float64Array.from(U), S: Float64Array.from(S), V: Float64Array.from(V)};
}
