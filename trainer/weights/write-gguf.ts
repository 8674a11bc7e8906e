/** GGUF files (version 3), written: a header of keys and of tensors, then their numbers, each tensor at a multiple of 32 bytes. */
import {closeSync, fsyncSync, openSync, writeSync} from 'node:fs';
import {product} from '../../core/numbers.ts';
import {narrowed} from './narrow.ts';

/** Values as llama.cpp expects them: its readers look for exact types. */
export type GgufValue =
  | {type: 'uint32' | 'int32' | 'float32'; value: number}
  | {type: 'bool'; value: boolean}
  | {type: 'string'; value: string}
  | {type: 'strings'; value: readonly string[]}
  | {type: 'int32s'; value: readonly number[]};

export interface GgufTensor {
  name: string;
  /** Row-major, outermost first. */
  shape: readonly number[];
  dtype: 'F32' | 'F16';
  /** Asked for once, when it is written. */
  values(): Float32Array;
}

const alignment = 32;
/** ggml's numbers of types, and GGUF's of values. */
const tensorTypes = {F32: 0, F16: 1} as const;
const valueTypes = {uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9} as const;

/**
 * Writes a new file, one tensor at a time in memory.
 * @throws SweepError `out-of-range` for values that float16 cannot hold; errors of the file system as they are
 */
export function writeGguf(
  file: string,
  metadata: readonly (readonly [key: string, value: GgufValue])[],
  tensors: readonly GgufTensor[],
  progress: (done: number) => void = () => {},
): void {
  const descriptor = openSync(file, 'wx');
  let position = 0;
  const write = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    position += bytes.length;
  };
  const pad = (): void => write(new Uint8Array(-position & (alignment - 1)));
  try {
    write(header(metadata, tensors));
    pad();
    for (const [k, {name, dtype, values}] of tensors.entries()) {
      write(narrowed(values(), {name, dtype}));
      pad();
      progress(k + 1);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function header(metadata: readonly (readonly [string, GgufValue])[], tensors: readonly GgufTensor[]): Uint8Array {
  let offset = 0;
  const places = tensors.flatMap(({name, shape, dtype}) => {
    const at = offset;
    const bytes = product(shape) * (dtype === 'F16' ? 2 : 4);
    offset += Math.ceil(bytes / alignment) * alignment;
    // Sizes stand innermost first.
    return [
      text(name),
      number(4, shape.length),
      ...shape.toReversed().map(long),
      number(4, tensorTypes[dtype]),
      long(at),
    ];
  });
  return Buffer.concat([
    Buffer.from('GGUF'),
    number(4, 3),
    long(tensors.length),
    long(metadata.length),
    ...metadata.flatMap(([key, value]) => [text(key), ...valueBytes(value)]),
    ...places,
  ]);
}

function valueBytes(one: GgufValue): Buffer[] {
  switch (one.type) {
    case 'bool':
      return [number(4, valueTypes.bool), Buffer.from([one.value ? 1 : 0])];
    case 'string':
      return [number(4, valueTypes.string), text(one.value)];
    case 'strings':
      return [
        number(4, valueTypes.array),
        number(4, valueTypes.string),
        long(one.value.length),
        ...one.value.map(text),
      ];
    case 'int32s':
      return [
        number(4, valueTypes.array),
        number(4, valueTypes.int32),
        long(one.value.length),
        Buffer.from(Int32Array.from(one.value).buffer),
      ];
    case 'float32':
      return [number(4, valueTypes.float32), Buffer.from(Float32Array.of(one.value).buffer)];
    default:
      return [number(4, valueTypes[one.type]), Buffer.from(Int32Array.of(one.value).buffer)];
  }
}

function number(bytes: 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUInt32LE(value);
  return buffer;
}

function long(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([long(bytes.length), bytes]);
}
