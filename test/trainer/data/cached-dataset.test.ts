import {cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {cachedDataset} from '../../../trainer/data/cached-dataset.ts';
import {loadDataset} from '../../../trainer/data/dataset.ts';
import type {EncodingModel} from '../../../trainer/data/encode.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
const before = process.env['LORA_SWEEP_CACHE'];
let folder: string;
let model: EncodingModel;
const data: DataSettings = {
  train: ['rows.jsonl'],
  format: 'completion',
  columns: {},
  template: 'plain',
  maxLength: 64,
  shuffle: true,
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cached-'));
  process.env['LORA_SWEEP_CACHE'] = join(folder, 'cache');
  cpSync(join(fixtures, 'goldens/tokenizers/bytelevel'), join(folder, 'model'), {recursive: true});
  model = {tokenizer: openTokenizer(join(folder, 'model')), config: {vocabSize: 1000, eosIds: [0]}};
  const rows = Array.from({length: 9000}, (_, i) =>
    JSON.stringify({
      prompt: `What is ${i} plus ${i * 7}? ${'abc '.repeat(i % 30)}`,
      completion: `It is ${i * 8}, surely.`,
    }),
  );
  writeFileSync(join(folder, 'rows.jsonl'), rows.join('\n'));
});
afterAll(() => {
  rmSync(folder, {recursive: true});
  if (before === undefined) delete process.env['LORA_SWEEP_CACHE'];
  else process.env['LORA_SWEEP_CACHE'] = before;
});
beforeEach(() => rmSync(join(folder, 'cache'), {recursive: true, force: true}));

const kept = () => readdirSync(join(folder, 'cache/tokens'));

describe('a tokenised data set', () => {
  it('is kept, and comes back as it was, on memory that workers share', async () => {
    const first = await cachedDataset(data, folder, model);
    expect(first).toEqual(await loadDataset(data, folder, model));
    expect(first.truncated).toBeGreaterThan(0);
    const files = kept();
    expect(files).toHaveLength(1);
    const heard: number[] = [];
    const again = await cachedDataset(data, folder, model, {progress: rows => heard.push(rows)});
    expect(again).toEqual(first);
    for (const array of [again.ids, again.labels, again.starts]) expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
    // Nothing was read row by row.
    expect(heard).toEqual([first.count]);
    expect(kept()).toEqual(files);
    // Which of the ids are learnt takes a bit each.
    const bytes = 512 + 4 * (first.starts.length + first.ids.length) + Math.ceil(first.ids.length / 8);
    expect(statSync(join(folder, 'cache/tokens', files[0]!)).size).toBe(bytes);
  });

  it('is another one for other settings, another tokenizer or other rows, but not in another order or place', async () => {
    const small = {...data, rows: 500};
    await cachedDataset(small, folder, model);
    await cachedDataset({...small, shuffle: false}, folder, model);
    cpSync(join(folder, 'rows.jsonl'), join(folder, 'moved.jsonl'));
    await cachedDataset({...small, train: ['moved.jsonl']}, folder, model);
    expect(kept()).toHaveLength(1);
    await cachedDataset({...small, maxLength: 32}, folder, model);
    await cachedDataset({...small, columns: {completion: 'prompt'}}, folder, model);
    writeFileSync(join(folder, 'moved.jsonl'), `${readFileSync(join(folder, 'rows.jsonl'), 'utf8')}\n`);
    await cachedDataset({...small, train: ['moved.jsonl']}, folder, model);
    expect(kept()).toHaveLength(4);
    const settings = join(folder, 'model/tokenizer_config.json');
    writeFileSync(settings, '{"eos_token": "<|im_end|>"}');
    await cachedDataset(small, folder, model);
    rmSync(settings);
    expect(kept()).toHaveLength(5);
  });

  it('of packed text and of labels of their own comes back too', async () => {
    const text = {...data, format: 'text', columns: {text: 'prompt'}, packing: true} as const;
    const packed = await cachedDataset(text, folder, model);
    expect(await cachedDataset(text, folder, model)).toEqual(packed);
    const rows = Array.from({length: 40_000}, (_, i) =>
      JSON.stringify({input_ids: [1, 2, 3], labels: [-100, 5, i % 9]}),
    );
    writeFileSync(join(folder, 'tokens.jsonl'), rows.join('\n'));
    const tokens: DataSettings = {...data, train: ['tokens.jsonl'], format: 'tokens'};
    const own = {tokenizer: null, config: {vocabSize: 9, eosIds: []}};
    const read = await cachedDataset(tokens, folder, own);
    expect(await cachedDataset(tokens, folder, own)).toEqual(read);
    expect(read.labels[2]).toBe(0);
  });

  it('that was damaged is made again and replaced; one that cannot be kept costs nothing', async () => {
    const small = {...data, rows: 500};
    const whole = await cachedDataset(small, folder, model);
    const file = join(folder, 'cache/tokens', kept()[0]!);
    const good = readFileSync(file);
    const damages: ((bytes: Buffer) => Buffer)[] = [
      bytes => bytes.subarray(0, -1),
      bytes => Buffer.concat([bytes.subarray(0, 600), Buffer.from([255]), bytes.subarray(601)]),
      () => Buffer.from('not a header'),
      () => Buffer.alloc(0),
      bytes => Buffer.concat([Buffer.from(JSON.stringify({count: -5, tokens: 2 ** 40}).padEnd(512)), bytes]),
    ];
    for (const damage of damages) {
      writeFileSync(file, damage(good));
      expect(await cachedDataset(small, folder, model)).toEqual(whole);
      expect(readFileSync(file).equals(good)).toBe(true);
    }
    rmSync(join(folder, 'cache'), {recursive: true});
    writeFileSync(join(folder, 'cache'), 'a file');
    expect(await cachedDataset(small, folder, model)).toEqual(whole);
  });
});
