import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readHeader, readTensor, writeSafetensors} from '../../../trainer/weights/safetensors.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

/** A file with this header (text, or a value to be written as JSON) and this many bytes of data. */
function store(header: unknown, dataBytes: number | Buffer = 0, headerLength?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(headerLength ?? BigInt(json.length));
  const file = join(folder, 'made.safetensors');
  const data = typeof dataBytes === 'number' ? Buffer.alloc(dataBytes) : dataBytes;
  writeFileSync(file, Buffer.concat([start, json, data]));
  return file;
}

const two = (begin: number, end: number, more: object = {}) => ({
  a: {dtype: 'F32', shape: [2], data_offsets: [0, 8]},
  b: {dtype: 'F32', shape: [2], data_offsets: [begin, end], ...more},
});

describe('a safetensors file', () => {
  it('comes back as it was written, names in order and metadata for transformers', () => {
    const file = join(folder, 'round.safetensors');
    const values = new Map([
      ['z', {shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 1e-40, Number.NaN, Infinity)}],
      ['a', {shape: [], data: Float32Array.of(7)}],
      ['empty', {shape: [0, 4], data: new Float32Array()}],
    ]);
    writeSafetensors(file, values);
    const {tensors, metadata} = readHeader(file);
    expect(metadata).toEqual({format: 'pt'});
    expect([...tensors.keys()]).toEqual(['a', 'empty', 'z']);
    expect(tensors.get('a')!.offset % 8).toBe(0);
    for (const [name, {shape, data}] of values) {
      expect(tensors.get(name)!.shape).toEqual(shape);
      expect(readTensor(tensors.get(name)!)).toEqual(data);
    }
    expect(readdirSync(folder).filter(name => name.endsWith('.tmp'))).toEqual([]);
  });

  it('of float32 values reads the same as the model rounded to bfloat16, to half a unit of 8 bits', () => {
    const exact = readHeader(join(fixtures, 'goldens/models/llama/model.safetensors')).tensors;
    const rounded = readHeader(join(fixtures, 'goldens/models/llama-bf16/model.safetensors')).tensors;
    const name = 'model.layers.0.mlp.up_proj.weight';
    expect(rounded.get(name)!.dtype).toBe('BF16');
    const a = readTensor(exact.get(name)!);
    const b = readTensor(rounded.get(name)!);
    expect(b.length).toBe(a.length);
    const errors = a.map((value, i) => Math.abs(value - b[i]!) / Math.abs(value));
    expect(Math.max(...errors)).toBeLessThanOrEqual(2 ** -8);
    expect(Math.max(...errors)).toBeGreaterThan(2 ** -10);
  });

  it('widens all 65,536 halves exactly', () => {
    const data = Buffer.alloc(131072);
    for (let i = 0; i < 65536; i++) data.writeUInt16LE(i, 2 * i);
    const file = store({h: {dtype: 'F16', shape: [65536], data_offsets: [0, 131072]}}, data);
    const values = readTensor(readHeader(file).tensors.get('h')!);
    for (let i = 0; i < 65536; i++) {
      const exponent = (i >> 10) & 31;
      const fraction = (i & 1023) / 1024;
      const size =
        exponent === 31
          ? fraction === 0
            ? Infinity
            : Number.NaN
          : exponent === 0
            ? fraction * 2 ** -14
            : (1 + fraction) * 2 ** (exponent - 15);
      if (!Object.is(values[i], i & 0x8000 ? -size : size)) throw new Error(`half ${i} became ${values[i]}`);
    }
  });

  it('rounds float64 and reads in pieces that do not show', () => {
    const count = 300_001;
    const source = Float64Array.from({length: count}, (_, i) => i / 3);
    const file = store({d: {dtype: 'F64', shape: [count], data_offsets: [0, 8 * count]}}, Buffer.from(source.buffer));
    expect(readTensor(readHeader(file).tensors.get('d')!)).toEqual(Float32Array.from(source));
  });

  it('names the file behind a symlink', () => {
    const link = join(folder, 'link.safetensors');
    const target = store(two(8, 16), 16);
    symlinkSync(target, link);
    expect(readHeader(link).tensors.get('b')!.file).toBe(realpathSync(target));
  });

  it('of integers has a header but is not read as weights', () => {
    const stored = readHeader(store({i: {dtype: 'I64', shape: [1], data_offsets: [0, 8]}}, 8)).tensors.get('i')!;
    expect(() => readTensor(stored)).toThrow(/stored as I64.*unquantised/);
  });

  it('that shrinks after its header was read is noticed', () => {
    const file = store(two(8, 16), 16);
    const stored = readHeader(file).tensors.get('b')!;
    truncateSync(file, stored.offset + 4);
    expect(() => readTensor(stored)).toThrow(/became shorter/);
  });
});

describe('an unsound safetensors file is refused in one sentence', () => {
  const cases: [string, () => string, RegExp][] = [
    ['missing', () => join(folder, 'nothing.safetensors'), /no file/],
    ['a folder', () => folder, /is a folder/],
    ['empty', () => write(''), /only 0 bytes/],
    ['with a header of 100 MB and more', () => store('{}', 0, 100_000_001n), /100000001 bytes, the limit/],
    ['with a header length beyond 2^53', () => store('{}', 0, 2n ** 64n - 1n), /limit is 100000000/],
    ['that ends inside its header', () => store('{}', 0, 50n), /ends inside its header/],
    ['whose header is not JSON', () => store('{"a":'), /not JSON/],
    ['whose header is not UTF-8', () => write(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xff])), /not JSON/],
    ['whose header is a deep nest', () => store('['.repeat(1_000_000)), /more than 500 deep/],
    ['whose header is a list', () => store('[]'), /not a JSON object/],
    ['whose header is null', () => store('null'), /not a JSON object/],
    ['whose metadata are numbers', () => store({__metadata__: {a: 1}}), /something else than text/],
    ['with a tensor that is a number', () => store({a: 3}), /not described by an object/],
    ['with an unknown type', () => store({a: {dtype: 'F12', shape: [], data_offsets: [0, 0]}}), /unknown type "F12"/],
    [
      'with a type named like an object method',
      () => store({a: {dtype: 'toString', shape: [], data_offsets: [0, 0]}}),
      /unknown type/,
    ],
    [
      'with a negative size',
      () => store({a: {dtype: 'F32', shape: [-1, -2], data_offsets: [0, 8]}}, 8),
      /list of sizes/,
    ],
    ['with a broken size', () => store({a: {dtype: 'F32', shape: [1.5], data_offsets: [0, 6]}}, 6), /list of sizes/],
    ['without a shape', () => store({a: {dtype: 'F32', data_offsets: [0, 4]}}, 4), /list of sizes/],
    [
      'with a shape whose product overflows',
      () => store({a: {dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4]}}, 4),
      /impossible shape/,
    ],
    ['with one offset', () => store({a: {dtype: 'F32', shape: [1], data_offsets: [0]}}, 4), /two positions/],
    ['with a negative offset', () => store(two(-4, 4), 16), /two positions/],
    ['with an offset beyond 2^53', () => store(two(2 ** 60, 2 ** 60 + 8), 16), /two positions/],
    ['with a tensor that ends before it begins', () => store(two(16, 8), 16), /ends before it begins/],
    ['whose shape and bytes differ', () => store(two(8, 16, {shape: [3]}), 16), /has 8 bytes.*needs 12/],
    ['with overlapping tensors', () => store(two(4, 12), 12), /overlaps/],
    ['with a hole', () => store(two(12, 20), 20), /gap of 4 bytes/],
    ['with bytes left over', () => store(two(8, 16), 20), /4 bytes at its end/],
    ['cut off in its data', () => store(two(8, 16), 12), /file has \d+ bytes.*incomplete/],
  ];
  function write(content: string | Buffer): string {
    const file = join(folder, 'raw.safetensors');
    writeFileSync(file, content);
    return file;
  }
  for (const [what, make, message] of cases) {
    it(what, () => {
      expect(() => readHeader(make())).toThrow(
        expect.objectContaining({name: 'SweepError', message: expect.stringMatching(message)}),
      );
    });
  }
});

describe('writing', () => {
  it('leaves the earlier file untouched and nothing beside it when it fails', () => {
    const parent = mkdtempSync(join(folder, 'write-'));
    const file = join(parent, 'missing/adapter.safetensors');
    expect(() => writeSafetensors(file, new Map())).toThrow(
      /missing.adapter\.safetensors: there is no such file or folder/,
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  it('does not replace a folder of that name', () => {
    const parent = mkdtempSync(join(folder, 'taken-'));
    mkdirSync(join(parent, 'adapter.safetensors'));
    expect(() => writeSafetensors(join(parent, 'adapter.safetensors'), new Map())).toThrow(
      /adapter\.safetensors: it is a folder, not a file/,
    );
    expect(readdirSync(parent)).toEqual(['adapter.safetensors']);
  });
});
