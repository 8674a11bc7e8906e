/** Tokenised data sets kept on disk: the same rows are tokenised once, however many sweeps train on them. */
import {createHash} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../files/cache-folder.ts';
import {isObject} from '../files/json-file.ts';
import {temporaryOf} from '../files/temporary.ts';
import {discard} from '../files/write-whole.ts';
import type {Dataset} from './dataset.ts';
import {ignored} from './token-row.ts';

/** All kept data sets together may take this many bytes; the ones not used for longest go first. */
const mostBytes = 20e9;
const headerBytes = 512;
const pieceBytes = 1 << 26;

/** What stands at the beginning of a file, padded with spaces; the arrays follow: starts, ids, then labels or which ids are learnt. */
interface Header {
  count: number;
  tokens: number;
  truncated: number;
  empty: number;
  /** Labels as they are, one bit a token (label or no loss), or none (all ids are learnt). */
  labels: 'values' | 'bits' | 'all';
  /** Of the arrays' bytes. */
  sha256: string;
}

/** Null where there is none, or one that is not what was written. `folder` is that of all caches. */
export function readTokens(key: string, folder: string = cacheFolder()): Dataset | null {
  const file = fileOf(key, folder);
  try {
    if (!existsSync(file)) return null;
    const descriptor = openSync(file, 'r');
    try {
      const found = read(descriptor);
      if (found) utimesSync(file, new Date(), new Date());
      return found;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It may vanish at any time; then the rows are tokenised again.
    return null;
  }
}

/** Keeps a data set; false where that is not possible, which costs only the next reading. */
export function writeTokens(key: string, dataset: Dataset, folder: string = cacheFolder()): boolean {
  const file = fileOf(key, folder);
  const temporary = temporaryOf(file);
  try {
    mkdirSync(join(folder, 'tokens'), {recursive: true});
    const descriptor = openSync(temporary, 'wx');
    try {
      write(descriptor, dataset);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
    forgetOldest(join(folder, 'tokens'));
    return true;
  } catch {
    discard(temporary);
    return false;
  }
}

function fileOf(key: string, folder: string): string {
  return join(folder, 'tokens', `${key}.tokens`);
}

function write(descriptor: number, dataset: Dataset): void {
  const {count, starts, ids, labels, truncated, empty} = dataset;
  const kind =
    labels === ids ? 'all' : labels.every((label, t) => label === ignored || label === ids[t]) ? 'bits' : 'values';
  const arrays = [bytesOf(starts), bytesOf(ids)];
  if (kind !== 'all') arrays.push(kind === 'bits' ? bitsOf(labels) : bytesOf(labels));
  const hash = createHash('sha256');
  for (const bytes of arrays) hash.update(bytes);
  const header: Header = {count, tokens: ids.length, truncated, empty, labels: kind, sha256: hash.digest('hex')};
  for (const bytes of [Buffer.from(JSON.stringify(header).padEnd(headerBytes)), ...arrays]) {
    for (let done = 0; done < bytes.length; )
      done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, pieceBytes));
  }
}

function read(descriptor: number): Dataset | null {
  const start = Buffer.alloc(headerBytes);
  if (!fill(descriptor, start)) return null;
  const header: unknown = JSON.parse(start.toString());
  if (!isHeader(header)) return null;
  const {count, tokens, truncated, empty, labels: kind, sha256} = header;
  const labelBytes = {values: 4 * tokens, bits: Math.ceil(tokens / 8), all: 0}[kind];
  if (fstatSync(descriptor).size !== headerBytes + 4 * (count + 1 + tokens) + labelBytes) return null;
  const starts = new Int32Array(new SharedArrayBuffer(4 * (count + 1)));
  const ids = new Int32Array(new SharedArrayBuffer(4 * tokens));
  const stored = new Uint8Array(new SharedArrayBuffer(labelBytes));
  const hash = createHash('sha256');
  for (const bytes of [bytesOf(starts), bytesOf(ids), stored]) {
    if (!fill(descriptor, bytes)) return null;
    hash.update(bytes);
  }
  if (hash.digest('hex') !== sha256) return null;
  const labels = kind === 'all' ? ids : kind === 'values' ? new Int32Array(stored.buffer) : labelsOf(stored, ids);
  return {count, starts, ids, labels, truncated, empty};
}

function fill(descriptor: number, into: Uint8Array): boolean {
  for (let done = 0; done < into.length; ) {
    const more = readSync(descriptor, into, done, Math.min(into.length - done, pieceBytes), null);
    if (more === 0) return false;
    done += more;
  }
  return true;
}

function isHeader(value: unknown): value is Header {
  if (!isObject(value)) return false;
  const numbers = ['count', 'tokens', 'truncated', 'empty'].every(name => Number.isSafeInteger(value[name]));
  return numbers && ['values', 'bits', 'all'].includes(String(value['labels']));
}

function bytesOf(values: Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function bitsOf(labels: Int32Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(labels.length / 8));
  for (let t = 0; t < labels.length; t++) if (labels[t] !== ignored) bits[t >> 3]! |= 1 << (t & 7);
  return bits;
}

function labelsOf(bits: Uint8Array, ids: Int32Array): Int32Array {
  const labels = new Int32Array(new SharedArrayBuffer(ids.byteLength));
  for (let t = 0; t < ids.length; t++) labels[t] = (bits[t >> 3]! >> (t & 7)) & 1 ? ids[t]! : ignored;
  return labels;
}

function forgetOldest(folder: string): void {
  const files = readdirSync(folder)
    .map(name => join(folder, name))
    .map(file => ({file, stat: statSync(file, {throwIfNoEntry: false})}))
    .sort((a, b) => (b.stat?.mtimeMs ?? 0) - (a.stat?.mtimeMs ?? 0));
  let bytes = 0;
  for (const [index, {file, stat}] of files.entries()) {
    bytes += stat?.size ?? 0;
    if (index > 0 && bytes > mostBytes) rmSync(file, {force: true});
  }
}
