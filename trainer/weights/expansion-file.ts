/**
 * Weights that are not stored as float32, expanded in one file that the runtime maps: for a Node whose native interface
 * takes no shared memory. As in memory it is one copy for all threads, each tensor filled by whichever thread needs it first.
 * The file lies in the cache while its process lives; what a killed one left behind is removed by the next.
 */

import {closeSync, constants, ftruncateSync, mkdirSync, openSync, rmSync, utimesSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {product} from '../../core/numbers.ts';
import {cacheFolder} from '../files/cache-folder.ts';
import {sweepTemporaries, temporaryOf} from '../files/temporary.ts';
import {once} from './once.ts';
import {readTensor, type StoredTensor} from './safetensors.ts';

/** What threads share; passed to a worker as it is. */
export interface ExpansionFile {
  folder: string;
  /** Of the whole file, in bytes; what is never filled takes no room. */
  bytes: number;
  /** Of each tensor, by `keyOf`: where its values begin, in bytes. */
  places: ReadonlyMap<string, {offset: number; index: number}>;
  /** Of each tensor, for `once`. */
  states: Int32Array;
}

/** Of the file in its folder. */
export const expansionName = 'weights.float32';
/** Tensors begin where a page does. */
const pageBytes = 4096;

const keyOf = ({file, offset}: StoredTensor): string => `${file} ${offset}`;
const bytesOf = ({shape}: StoredTensor): number => 4 * product(shape);

/** A file that is only read does not look used: well within the time after which another machine takes it for forgotten. */
const touchMilliseconds = 600_000;
const touching = new Map<string, NodeJS.Timeout>();

/** A place for these tensors, whatever they are stored as; nothing is written yet. */
export function shareFile(tensors: Iterable<StoredTensor>): ExpansionFile {
  const places = new Map<string, {offset: number; index: number}>();
  let bytes = 0;
  for (const stored of tensors) {
    if (places.has(keyOf(stored))) continue;
    places.set(keyOf(stored), {offset: bytes, index: places.size});
    bytes += pageBytes * Math.ceil(bytesOf(stored) / pageBytes);
  }
  const states = new Int32Array(new SharedArrayBuffer(4 * Math.max(1, places.size)));
  const folder = temporaryOf(join(allFiles(), 'weights'));
  touching.set(folder, setInterval(() => touch(folder), touchMilliseconds).unref());
  return {folder, bytes, places, states};
}

function touch(folder: string): void {
  try {
    const now = new Date();
    utimesSync(folder, now, now);
  } catch {
    // Nothing is written yet, and perhaps never will be.
  }
}

/** Removes the file; what a system does not give up yet goes with the next sweep. */
export function removeFile({folder}: Pick<ExpansionFile, 'folder'>): void {
  clearInterval(touching.get(folder));
  touching.delete(folder);
  try {
    rmSync(folder, {recursive: true, force: true});
  } catch {
    // Windows keeps a file while it is mapped.
  }
}

/** Removes what processes left that are gone. */
export function sweepFiles(): void {
  sweepTemporaries(allFiles());
}

/**
 * Where a tensor's values lie in the file; they are written if nobody has done so yet.
 * @throws SweepError `no-room`
 */
export function placeInExpansion(stored: StoredTensor, file: ExpansionFile): {offset: number; length: number} {
  const {offset, index} = file.places.get(keyOf(stored))!;
  once(file.states, index, () => write(readTensor(stored), offset, file));
  return {offset, length: bytesOf(stored)};
}

function write(values: Float32Array, offset: number, {folder, bytes}: ExpansionFile): void {
  const content = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  try {
    mkdirSync(folder, {recursive: true, mode: 0o700});
    const file = openSync(join(folder, expansionName), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      ftruncateSync(file, bytes);
      for (let at = 0; at < content.length; )
        at += writeSync(file, content, at, Math.min(content.length - at, 1 << 30), offset + at);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError(
      'no-room',
      `Node ${process.versions.node} cannot hand shared memory to the runtime, so the weights are kept as float32 in ${folder}, ${(bytes / 1e9).toFixed(1)} GB, which failed (${why}); take a newer Node (24), or name another folder in LORA_SWEEP_CACHE.`,
      {folder},
    );
  }
}

const allFiles = (): string => join(cacheFolder(), 'expanded');
