import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Row, textIn} from '../../../trainer/data/read/row.ts';
import {readRows} from '../../../trainer/data/read/rows.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rows-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function store(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function read(files: string | string[], limit?: number): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows([files].flat(), limit)) rows.push(row);
  return rows;
}

const values = (rows: Row[]) => rows.map(row => row.values);

describe('a .jsonl file', () => {
  it('has a row a line, with the line it stands in; mark, blank lines and CRLF do not matter', async () => {
    const rows = await read(store('a.jsonl', '\uFEFF{"a": 1}\r\n\r\n  \n{"a": "ü\u2028日"}\n{"a": 3}'));
    expect(values(rows)).toEqual([{a: 1}, {a: 'ü\u2028日'}, {a: 3}]);
    expect(rows.map(row => row.line)).toEqual([1, 4, 5]);
  });

  it('that is one list is refused with the name it should have', async () => {
    for (const text of ['[{"a": 1}, {"a": 2}]', '[\n  {"a": 1}\n]\n', '{"a": 1}\n[1, 2]\n'])
      await expect(read(store('list.jsonl', text))).rejects.toThrow(
        /not a JSON object but a list.*is named .json, not .jsonl/,
      );
  });

  it('longer than many reads comes whole, wherever a read ends', async () => {
    const long = 'é'.repeat(400_000);
    const lines = [long, ...Array.from({length: 20_000}, (_, i) => `${i} ü`), long].map(text => JSON.stringify({text}));
    const rows = await read(store('long.jsonl', `${lines.join('\n')}\n`));
    expect(rows.length).toBe(20_002);
    expect(rows.map(row => JSON.stringify(row.values)).join('\n')).toBe(lines.join('\n'));
  });

  it('gives way to the next one, up to the number of rows asked for', async () => {
    const files = [store('1.jsonl', '{"a":1}\n{"a":2}\n'), store('2.json', '[{"a":3},{"a":4}]')];
    expect(values(await read(files))).toEqual([{a: 1}, {a: 2}, {a: 3}, {a: 4}]);
    expect(values(await read(files, 3))).toEqual([{a: 1}, {a: 2}, {a: 3}]);
    expect(values(await read([files[0]!, join(folder, 'missing.jsonl')], 2))).toEqual([{a: 1}, {a: 2}]);
  });
});

describe('a .json file', () => {
  it('has a list of rows, or one after another, over as many lines as it likes', async () => {
    const list = await read(store('list.json', '\uFEFF [\n {"a": "}\\"]{", "b": [{}, []]},\n\n {\n"a": 2}\n]\n'));
    expect(values(list)).toEqual([{a: '}"]{', b: [{}, []]}, {a: 2}]);
    expect(list.map(row => row.line)).toEqual([2, 4]);
    expect(values(await read(store('stream.json', '{"a": 1}\n{"a": "\\\\"}{"a": 3}')))).toEqual([
      {a: 1},
      {a: '\\'},
      {a: 3},
    ]);
    expect(await read(store('none.json', '[ ]'))).toEqual([]);
    expect(await read(store('blank.json', ' '))).toEqual([]);
  });

  it('longer than many reads comes whole', async () => {
    const rows = Array.from({length: 20_000}, (_, i) => ({i, text: `${'ü"'.repeat(i % 50)}\\`}));
    expect(values(await read(store('big.json', JSON.stringify(rows, null, 1))))).toEqual(rows);
  });

  it.each([
    ['text before the rows', 'hello', /:1: .*'h' is out of place/],
    ['a number among the rows', '[{},\n3]', /:2: .*'3' is out of place/],
    ['a missing comma', '[{}\n{}]', /:2: .*'{' is out of place/],
    ['a comma too many', '[{},]', /']' is out of place/],
    ['more after the end', '[{}] []', /'\[' is out of place/],
    ['no end', '[{}\n,{}\n', /:3: the file ends inside its list/],
    ['an unfinished row', '[{},\n{"a": "x\n}]', /:2: the file ends inside this row/],
    ['a broken row', '[{},\n{"a" 1}]', /:2: this row is not JSON/],
  ])('with %s is refused at the line', async (_, content, message) => {
    await expect(read(store('bad.json', content))).rejects.toThrow(message);
  });
});

describe('a row that is not one', () => {
  it.each([
    ['broken JSON', '{"a": 1}\n\n{"a": \n', /bad.jsonl:3: this row is not JSON/],
    ['a list', '[1]', /:1: this row is not a JSON object/],
    ['null', '{}\nnull', /:2: this row is not a JSON object/],
  ])('%s is named with file and line', async (_, content, message) => {
    await expect(read(store('bad.jsonl', content))).rejects.toThrow(
      expect.objectContaining({code: 'bad-data', message: expect.stringMatching(message)}),
    );
  });

  it('in another encoding is named too', async () => {
    const file = store('latin.jsonl', Buffer.from('{"a": "ok"}\n{"a": "\xfc"}\n', 'latin1'));
    await expect(read(file)).rejects.toThrow(/latin.jsonl:2: this row is not UTF-8/);
  });

  it('for want of a file', async () => {
    await expect(read(join(folder, 'missing.jsonl'))).rejects.toThrow(expect.objectContaining({code: 'missing-file'}));
    mkdirSync(join(folder, 'folder.jsonl'));
    await expect(read(join(folder, 'folder.jsonl'))).rejects.toThrow(/folder.jsonl is a folder/);
    await expect(read(join(folder, 'a.parquet'))).rejects.toThrow(expect.objectContaining({code: 'missing-file'}));
    await expect(read(store('a.csv', 'a,b'))).rejects.toThrow(
      /data files end in .jsonl, .json, .parquet, .jsonl.gz or .json.gz/,
    );
  });
});

describe('a column', () => {
  const row: Row = {values: {a: 'x', n: 4, f: false, none: null, list: []}, file: 'f.jsonl', line: 7};
  it('holds text, or a number or boolean that is written out', () => {
    expect([textIn(row, 'a'), textIn(row, 'n'), textIn(row, 'f')]).toEqual(['x', '4', 'false']);
  });
  it('that is not there is named beside those that are', () => {
    expect(() => textIn(row, 'toString')).toThrow(
      expect.objectContaining({
        code: 'missing-column',
        message:
          'f.jsonl:7: there is no column "toString"; the row has a, n, f, none, list; name yours under `columns`, of the data or of the evaluation.',
      }),
    );
    expect(() => textIn(row, 'none')).toThrow('f.jsonl:7: column "none" holds null where text belongs.');
    expect(() => textIn(row, 'list')).toThrow(/holds a list/);
  });
});
