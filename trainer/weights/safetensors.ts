/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header, then the tensors' bytes one after another.
 * A header is data from a stranger: every number in it is checked before anything is allocated or read by it.
 */

import {closeSync, fstatSync, fsyncSync, openSync, readSync, realpathSync, renameSync, writeSync} from 'node:fs';
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';
import {product} from '../../core/numbers.ts';
import {openRegular} from '../files/door.ts';
import {temporaryOf} from '../files/temporary.ts';
import {discard, storeError} from '../files/write-whole.ts';
import {type BlockType, blockFormats, isBlockType, widenBlocks, widenHalf} from './ggml.ts';

const bytesOf = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;
/** Element types a header may name; only F64, F32, F16 and BF16 are read as numbers. */
export type StoredDtype = keyof typeof bytesOf;

/** Where a tensor lies on disk. */
export interface StoredTensor {
  name: string;
  /** Of a safetensors file, or the format of a GGUF file's blocks. */
  dtype: StoredDtype | BlockType;
  /** Row-major; empty for a scalar. */
  shape: number[];
  /** Absolute path with symlinks resolved. */
  file: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Bytes. */
  length: number;
  /** Rows of so many heads stand as pairs of a rotation side by side, instead of as two halves (GGUF). */
  interleavedHeads?: number | undefined;
}

export interface SafetensorsHeader {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/** As in the reference implementation. */
const headerLimit = 100_000_000;
const chunkBytes = 1 << 20;

/**
 * Reads and checks the header of a safetensors file: the tensors must fill the rest of the file exactly, without overlap.
 * @throws SweepError `missing-file`, or `bad-model` when anything in the header cannot be true
 */
export function readHeader(path: string): SafetensorsHeader {
  const {file, descriptor} = open(path);
  try {
    const size = fstatSync(descriptor).size;
    const bad = (what: string): SweepError =>
      new SweepError('bad-model', `${path} is not a sound safetensors file: ${what}; fetch it again.`, {file: path});
    if (size < 8) throw bad(`it has only ${size} bytes`);
    const lengthBytes = Buffer.alloc(8);
    readExactly(descriptor, lengthBytes, 0, path);
    if (lengthBytes.toString('latin1') === 'version ')
      throw bad('it is a Git LFS pointer, which stands for the file; `git lfs pull` brings the file itself');
    const headerLength = lengthBytes.readBigUInt64LE();
    if (headerLength > BigInt(headerLimit)) {
      throw bad(`its header would have ${headerLength} bytes, the limit is ${headerLimit}`);
    }
    const dataStart = 8 + Number(headerLength);
    if (dataStart > size) throw bad(`it ends inside its header (${size} of at least ${dataStart} bytes)`);
    const bytes = Buffer.alloc(Number(headerLength));
    readExactly(descriptor, bytes, 8, path);
    const header = parseObject(bytes, bad);

    const tensors = new Map<string, StoredTensor>();
    let metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(header)) {
      if (name === '__metadata__') metadata = readMetadata(value, bad);
      else tensors.set(name, readEntry(name, value, file, dataStart, bad));
    }
    checkLayout([...tensors.values()], dataStart, size, bad);
    return {tensors, metadata};
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads one tensor as float32 in row-major order: F16 and BF16 are widened exactly, F64 is rounded. Reads in pieces, so
 * nothing but the result is held in memory. `into` has room for it.
 * @throws SweepError `bad-model` for integer and 8-bit types or a file that has changed, `missing-file`
 */
export function readTensor(stored: StoredTensor): Float32Array<ArrayBuffer>;
export function readTensor(stored: StoredTensor, into: Float32Array): Float32Array;
export function readTensor(stored: StoredTensor, into?: Float32Array): Float32Array {
  const {dtype, file, offset, length, shape, interleavedHeads} = stored;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16' && dtype !== 'F64' && !isBlockType(dtype)) {
    throw new SweepError(
      'bad-model',
      `Tensor ${stored.name} in ${file} is stored as ${dtype}; only F32, F16, BF16 and F64 weights can be read, so take an unquantised copy of the model.`,
      {file, tensor: stored.name, dtype},
    );
  }
  const values = into ?? new Float32Array(elements(shape));
  const {descriptor} = open(file);
  try {
    if (dtype === 'F32') {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      for (let at = 0; at < length; at += 1 << 30) {
        readExactly(descriptor, bytes.subarray(at, Math.min(length, at + (1 << 30))), offset + at, file);
      }
    } else {
      const unit = isBlockType(dtype) ? blockFormats[dtype] : {values: 1, bytes: bytesOf[dtype]};
      const step = unit.bytes * Math.ceil(chunkBytes / unit.bytes);
      const chunk = chunkOf(Math.min(step, length));
      for (let at = 0; at < length; at += step) {
        const part = chunk.subarray(0, Math.min(step, length - at));
        readExactly(descriptor, part, offset + at, file);
        const target = values.subarray((at / unit.bytes) * unit.values);
        if (isBlockType(dtype)) widenBlocks(dtype, part, target);
        else widen(dtype, part, target);
      }
    }
  } finally {
    closeSync(descriptor);
  }
  if (interleavedHeads !== undefined) separateHalves(values, interleavedHeads, shape);
  return values;
}

/**
 * A tensor's bytes as they are stored.
 * @throws SweepError `bad-model`, `missing-file`
 */
export function readBytes({file, offset, length}: StoredTensor): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(length));
  const {descriptor} = open(file);
  try {
    for (let at = 0; at < length; at += 1 << 30)
      readExactly(descriptor, bytes.subarray(at, Math.min(length, at + (1 << 30))), offset + at, file);
  } finally {
    closeSync(descriptor);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
}

let scratch = Buffer.alloc(0);

/** The same memory for every tensor of a thread: a model's worth of small buffers would stand until they are collected. */
function chunkOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.from(new ArrayBuffer(bytes));
  return scratch.subarray(0, bytes);
}

/** Rows [head, i, half] → [head, half, i]. */
function separateHalves(values: Float32Array, heads: number, [rows = 0, columns = 1]: readonly number[]): void {
  const half = rows / heads / 2;
  const before = values.slice();
  for (let row = 0; row < rows; row++) {
    const [head, place] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const from = head * 2 * half + 2 * (place % half) + Math.floor(place / half);
    values.set(before.subarray(from * columns, (from + 1) * columns), row * columns);
  }
}

/** A tensor to be stored; `data` has as many values as `shape` says. */
export interface TensorValues {
  shape: number[];
  data: Float32Array;
}

/**
 * Stores float32 tensors, names in order, under a temporary name first: the file is there whole or not at all.
 * `metadata` defaults to what transformers and PEFT expect to find.
 * @throws SweepError `disk-full`, `cannot-write`
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, TensorValues>,
  metadata: Record<string, string> = {format: 'pt'},
): void {
  const entries = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: [string, unknown][] = [['__metadata__', metadata]];
  let end = 0;
  for (const [name, {shape, data}] of entries) {
    if (data.length !== elements(shape))
      throw new RangeError(`${name}: ${data.length} values for [${shape.join(', ')}]`);
    header.push([name, {dtype: 'F32', shape, data_offsets: [end, end + data.byteLength]}]);
    end += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  // Padded with spaces so that the data is aligned to 8 bytes, which lets it be mapped.
  const start = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  start.writeBigUInt64LE(BigInt(start.length - 8));
  json.copy(start, 8);

  const temporary = temporaryOf(file);
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeFully(descriptor, start);
      for (const [, {data}] of entries) {
        writeFully(descriptor, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    discard(temporary);
    throw storeError(error, file);
  }
}

function open(path: string): {file: string; descriptor: number} {
  try {
    const file = realpathSync(path);
    const {descriptor} = openRegular(path);
    return {file, descriptor};
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const code = errorCode(error);
    if (code === 'ENOENT') throw new SweepError('missing-file', `There is no file ${path}.`, {file: path});
    throw new SweepError('bad-model', `${path} cannot be read (${code}).`, {file: path});
  }
}

function readExactly(descriptor: number, into: Buffer, position: number, path: string): void {
  let done = 0;
  while (done < into.length) {
    const read = readSync(descriptor, into, done, into.length - done, position + done);
    if (read === 0) throw new SweepError('bad-model', `${path} became shorter while it was read.`, {file: path});
    done += read;
  }
}

function writeFully(descriptor: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30));
}

type Complaint = (what: string) => SweepError;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(bytes: Buffer, bad: Complaint): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes), 'its header');
  } catch (error) {
    if (error instanceof SweepError) throw bad(error.message.replace(/\.$/, ''));
    throw bad('its header is not JSON');
  }
  if (!isObject(value)) throw bad('its header is not a JSON object');
  return value;
}

function readMetadata(value: unknown, bad: Complaint): Record<string, string> {
  if (!isObject(value)) throw bad('__metadata__ is not an object');
  const entries: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw bad(`__metadata__ holds something else than text under ${JSON.stringify(key)}`);
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function elements(shape: readonly number[]): number {
  return product(shape);
}

function readEntry(name: string, value: unknown, file: string, dataStart: number, bad: Complaint): StoredTensor {
  const tensor = `tensor ${JSON.stringify(name.slice(0, 200))}`;
  if (!isObject(value)) throw bad(`${tensor} is not described by an object`);
  const {dtype, shape, data_offsets: offsets} = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesOf, dtype)) {
    throw bad(`${tensor} has the unknown type ${JSON.stringify(dtype)?.slice(0, 40)}`);
  }
  const known = dtype as StoredDtype;
  if (!Array.isArray(shape) || !shape.every(isCount)) throw bad(`${tensor} has a shape that is not a list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad(`${tensor} has data_offsets that are not two positions`);
  }
  const [begin = 0, end = 0] = offsets;
  if (end < begin) throw bad(`${tensor} ends before it begins`);
  const length = elements(shape) * bytesOf[known];
  if (!Number.isSafeInteger(length)) throw bad(`${tensor} has an impossible shape`);
  if (length !== end - begin) {
    throw bad(`${tensor} has ${end - begin} bytes, its shape [${shape.join(', ')}] in ${dtype} needs ${length}`);
  }
  return {name, dtype: known, shape, file, offset: dataStart + begin, length};
}

function checkLayout(tensors: StoredTensor[], dataStart: number, size: number, bad: Complaint): void {
  tensors.sort((a, b) => a.offset - b.offset || a.length - b.length);
  let end = dataStart;
  for (const {name, offset, length} of tensors) {
    const tensor = `tensor ${JSON.stringify(name.slice(0, 200))}`;
    if (offset + length > size) {
      throw bad(`${tensor} ends at byte ${offset + length} but the file has ${size} bytes (an incomplete download?)`);
    }
    if (offset < end) throw bad(`${tensor} overlaps the one before it`);
    if (offset > end) throw bad(`there is a gap of ${offset - end} bytes before ${tensor}`);
    end = offset + length;
  }
  if (end !== size) throw bad(`${size - end} bytes at its end belong to no tensor`);
}

/** `source` holds whole little-endian values; they go to the front of `target`. */
function widen(dtype: 'F16' | 'BF16' | 'F64', source: Buffer, target: Float32Array): void {
  if (dtype === 'F64') {
    target.set(new Float64Array(source.buffer, source.byteOffset, source.length / 8));
    return;
  }
  const halves = new Uint16Array(source.buffer, source.byteOffset, source.length / 2);
  const bits = new Uint32Array(target.buffer, target.byteOffset, halves.length);
  if (dtype === 'BF16') {
    for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  } else {
    for (let i = 0; i < halves.length; i++) bits[i] = widenHalf(halves[i]!);
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
