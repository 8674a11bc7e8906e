import {mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import type {SchemaTree} from 'hyparquet';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {columnsToEvaluate} from '../../../trainer/data/read/columns.ts';
import {plain} from '../../../trainer/data/read/parquet-values.ts';
import {type Row, textIn} from '../../../trainer/data/read/row.ts';
import {columnsOf, readRows} from '../../../trainer/data/read/rows.ts';
import {parseAsWritten} from '../../../trainer/files/written-json.ts';

const fixtures = new URL('../../fixtures/parquet/', import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

async function read(file: string, ...options: [limit?: number, reading?: Parameters<typeof readRows>[2]]) {
  const rows: Row[] = [];
  for await (const row of readRows([file], ...options)) rows.push(row);
  return rows;
}

const values = (rows: Row[]) => rows.map(row => row.values);
const json = (name: string): unknown[] => parseAsWritten(readFileSync(join(fixtures, name), 'utf8')) as unknown[];

describe('a Parquet file', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd'])('compressed by %s holds what was written', async compression => {
    const rows = await read(join(fixtures, `${compression}.parquet`));
    expect(values(rows)).toEqual(json('questions.json'));
    expect(rows.map(row => row.line)).toEqual(Array.from({length: 40}, (_, i) => i + 1));
  });

  it('with lists and structs gives chats and token rows as JSON would', async () => {
    expect(values(await read(join(fixtures, 'chats.parquet')))).toEqual(json('chats.json'));
    expect(values(await read(join(fixtures, 'tokens.parquet')))).toEqual(json('tokens.json'));
  });

  it('with a repeated group that no list is made of gives its columns by name', () => {
    const node = (
      name: string,
      repetition_type: 'REQUIRED' | 'REPEATED',
      type?: 'INT64',
      ...children: SchemaTree[]
    ): SchemaTree => ({
      ...{children, count: 1, path: [name]},
      element: {name, repetition_type, ...(type && {type})},
    });
    const ids = node(
      'ids',
      'REQUIRED',
      undefined,
      node('list', 'REPEATED', undefined, node('element', 'REQUIRED', 'INT64')),
    );
    expect(plain({list: [{element: 1n}, {element: 2n}]}, ids)).toEqual({list: [{element: 1}, {element: 2}]});
    expect(() => plain({other: [1n]}, ids)).toThrow('its schema has no other');
  });

  it('has numbers, decimals, days and times as pandas prints them, beside bytes that are no text', async () => {
    const printed: Record<string, (string | null)[]> = JSON.parse(readFileSync(join(fixtures, 'values.json'), 'utf8'));
    const rows = await read(join(fixtures, 'values.parquet'));
    expect(rows).toHaveLength(4);
    for (const [name, texts] of Object.entries(printed)) {
      const found = rows.map(row => (row.values[name] === null ? null : textIn(row, name)));
      expect({name, found}).toEqual({name, found: texts});
    }
    expect(() => textIn(rows[0]!, 'image')).toThrow(/column "image" holds a list where text belongs/);
  });

  it('is evaluated by the columns that are needed, those that may be absent included', async () => {
    const chat: DataSettings = {
      train: [],
      format: 'messages',
      columns: {},
      template: 'plain',
      maxLength: 512,
      shuffle: false,
    };
    const file = join(fixtures, 'chats.parquet');
    const some = await read(file, 1, columnsToEvaluate({task: 'exact-match'}, chat));
    expect(Object.keys(some[0]!.values)).toEqual(['messages']);
    const instruction: DataSettings = {
      ...chat,
      format: 'instruction',
      columns: {instruction: 'query', output: 'response', input: 'none'},
    };
    const rows = await read(join(fixtures, 'none.parquet'), 1, columnsToEvaluate({task: 'loss'}, instruction));
    expect(Object.keys(rows[0]!.values)).toEqual(['query', 'response']);
  });

  it('is read as far as it is asked for: rows across its groups, and columns that are there', async () => {
    const file = join(fixtures, 'zstd.parquet');
    expect(values(await read(file, 20))).toEqual(json('questions.json').slice(0, 20));
    const some = await read(file, 1, {columns: ['query', 'response']});
    expect(Object.keys(some[0]!.values)).toEqual(['query', 'response']);
    // The reader of the row says which are there instead.
    const all = await read(file, 1, {columns: ['question']});
    expect(Object.keys(all[0]!.values)).toHaveLength(7);
  });

  it('names its columns without its rows', async () => {
    const names = ['query', 'response', 'type', 'original_question', 'id', 'score', 'used'];
    expect(await columnsOf(join(fixtures, 'snappy.parquet'), 1)).toEqual(names);
  });

  it('tells how many bytes are done', async () => {
    const heard: number[] = [];
    const file = join(fixtures, 'none.parquet');
    await read(file, undefined, {bytesRead: bytes => heard.push(bytes)});
    expect(heard).toHaveLength(3);
    expect(heard.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(readFileSync(file).length);
  });

  it('that is cut off, damaged or none at all is refused in a sentence', async () => {
    const copy = (name: string, change: (bytes: Buffer) => Buffer) => {
      writeFileSync(join(folder, name), change(readFileSync(join(fixtures, 'snappy.parquet'))));
      return read(join(folder, name));
    };
    await expect(copy('cut.parquet', bytes => bytes.subarray(0, 4000))).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-data',
        message: expect.stringMatching(/cut.parquet: this is not a whole Parq/),
      }),
    );
    await expect(copy('empty.parquet', () => Buffer.alloc(0))).rejects.toThrow(/empty.parquet: this is not a whole/);
    await expect(copy('text.parquet', () => Buffer.from('{"a": 1}\n'.repeat(9)))).rejects.toThrow(/not a whole Parq/);
    const damaged = (bytes: Buffer) => {
      bytes.fill(0xff, 2600, 2900);
      return bytes;
    };
    await expect(copy('damaged.parquet', damaged)).rejects.toThrow(/damaged.parquet, rows \d+ to \d+: this is not/);
    await expect(read(join(folder, 'missing.parquet'))).rejects.toThrow(
      expect.objectContaining({code: 'missing-file'}),
    );
    await expect(columnsOf(join(folder, 'missing.parquet'), 1)).rejects.toThrow(
      expect.objectContaining({code: 'missing-file'}),
    );
  });
});

describe('a gzip file', () => {
  const lines = Array.from({length: 6000}, (_, i) => JSON.stringify({i, text: `${Math.sin(i)} ü`})).join('\n');
  const store = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it('is read as what it holds, also of several members', async () => {
    const rows = await read(store('a.jsonl.gz', gzipSync(lines)));
    expect(rows.map(row => JSON.stringify(row.values)).join('\n')).toBe(lines);
    const heard: number[] = [];
    await read(join(folder, 'a.jsonl.gz'), undefined, {bytesRead: bytes => heard.push(bytes)});
    expect(heard.reduce((sum, bytes) => sum + bytes, 0)).toBe(readFileSync(join(folder, 'a.jsonl.gz')).length);
    expect(await read(join(folder, 'a.jsonl.gz'), 3)).toHaveLength(3);
    const two = Buffer.concat([gzipSync('[{"a": 1},'), gzipSync('{"a": 2}]')]);
    expect(values(await read(store('b.JSON.gz', two)))).toEqual([{a: 1}, {a: 2}]);
  });

  it('that ends early or is none is refused behind its last whole row', async () => {
    const cut = store('cut.jsonl.gz', gzipSync(lines));
    truncateSync(cut, 50_000);
    await expect(read(cut)).rejects.toThrow(/cut.jsonl.gz:\d{4}: the gzip stream ends too early/);
    await expect(read(store('no.jsonl.gz', Buffer.from(lines)))).rejects.toThrow(/no.jsonl.gz:1: the file is not gzip/);
    await expect(read(join(folder, 'missing.json.gz'))).rejects.toThrow(
      expect.objectContaining({code: 'missing-file'}),
    );
  });
});
