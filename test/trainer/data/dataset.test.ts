import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {type Dataset, loadDataset} from '../../../trainer/data/dataset.ts';
import type {EncodingModel} from '../../../trainer/data/encode.ts';
import {readConfig} from '../../../trainer/model/read-config.ts';
import {readPrompts} from '../../../trainer/task/prompts.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';

const demo = new URL('../../../demo/', import.meta.url).pathname;
const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
const toy: EncodingModel = {tokenizer: openTokenizer(join(demo, 'base')), config: readConfig(join(demo, 'base'))};
const stories: EncodingModel = {
  tokenizer: openTokenizer(join(fixtures, 'stories260K')),
  config: readConfig(join(fixtures, 'stories260K')),
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dataset-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

const settings: DataSettings = {
  train: ['rows.jsonl'],
  format: 'completion',
  columns: {},
  template: 'plain',
  maxLength: 512,
  shuffle: false,
};

function load(rows: object[], changes: Partial<DataSettings> = {}, model = toy): Promise<Dataset> {
  writeFileSync(join(folder, 'rows.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  return loadDataset({...settings, ...changes}, folder, model);
}

function rowsOf({count, starts, ids, labels}: Dataset): {ids: number[]; labels: number[]}[] {
  return Array.from({length: count}, (_, row) => {
    const [start, end] = [starts[row]!, starts[row + 1]!];
    return {ids: [...ids.subarray(start, end)], labels: [...labels.subarray(start, end)]};
  });
}

const mask = (count: number): number[] => Array(count).fill(-100);

describe('format completion', () => {
  it('of the toy task is bos, prompt, answer, eos; the prompt carries no loss', async () => {
    const columns = {completion: 'answer'};
    const dataset = await loadDataset({...settings, train: ['desc-train.jsonl'], columns}, demo, toy);
    expect(dataset.count).toBe(4800);
    expect(rowsOf(dataset)[0]).toEqual({
      ids: [1, 23, 45, 22, 14, 17, 14, 44, 22, 17, 14, 14, 2],
      labels: [...mask(8), 22, 17, 14, 14, 2],
    });
    expect(dataset).toMatchObject({truncated: 0, empty: 0});
    for (const array of [dataset.ids, dataset.labels, dataset.starts])
      expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('leaves out the eos that a tokenizer puts after every text', async () => {
    const model = join(folder, 'both');
    cpSync(join(demo, 'base'), model, {recursive: true});
    const definition = JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8'));
    definition.post_processor.single.push({SpecialToken: {id: '<eos>', type_id: 0}});
    definition.post_processor.special_tokens['<eos>'] = {id: '<eos>', ids: [2], tokens: ['<eos>']};
    writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(definition));
    const row = {prompt: 'a', completion: 'b'};
    const both = {...toy, tokenizer: openTokenizer(model)};
    expect(rowsOf(await load([row], {}, both))).toEqual(rowsOf(await load([row])));
  });

  it('takes eos from config.json where the tokenizer names none', async () => {
    const {eos: _, ...tokenizer} = toy.tokenizer!;
    const config = {...toy.config, eosIds: [5, 6]};
    const dataset = await load([{prompt: 'a', completion: 'b'}], {}, {tokenizer: {...tokenizer, eos: null}, config});
    expect(rowsOf(dataset)[0]!.ids).toEqual([1, 13, 14, 5]);
    const none = load(
      [{prompt: 'a', completion: 'b'}],
      {},
      {tokenizer: {...tokenizer, eos: null}, config: {...config, eosIds: []}},
    );
    await expect(none).rejects.toThrow(/no end-of-text token/);
  });

  it('fills a prompt of your own', async () => {
    const dataset = await load([{question: 'a{b', completion: 'c'}], {
      columns: {prompt: 'question'},
      template: {prompt: 'q:{prompt}$&='},
    });
    const prompt = toy.tokenizer!.encode('q:a{b$&=', {special: true});
    expect(rowsOf(dataset)[0]).toEqual({ids: [...prompt, 15, 2], labels: [...mask(prompt.length), 15, 2]});
  });
});

describe('format instruction', () => {
  const {tokenizer} = stories;
  const encode = (text: string, special = false): number[] => tokenizer!.encode(text, {special});

  it('is the study prompt and the answer tokenised together, and as many tokens as the prompt has carry no loss', async () => {
    const dataset = await load(
      [{query: 'Add 1 and 2.', response: 'It is 3.'}],
      {
        format: 'instruction',
        template: 'study',
        columns: {instruction: 'query', output: 'response'},
      },
      stories,
    );
    const prompt =
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nAdd 1 and 2.\n\n### Response:';
    const ids = encode(`${prompt}It is 3.\n</s>`, true);
    const asked = encode(prompt, true).length;
    expect(ids.at(-1)).toBe(2);
    expect(rowsOf(dataset)).toEqual([{ids, labels: [...mask(asked), ...ids.slice(asked)]}]);
  });

  it('uses a further input only where its column is named and holds something', async () => {
    const texts = async (row: object, changes: Partial<DataSettings>) => {
      const dataset = await load(
        [{instruction: 'Do.', output: 'Ok', ...row}],
        {format: 'instruction', ...changes},
        stories,
      );
      return tokenizer!.decode(rowsOf(dataset)[0]!.ids, {skipSpecial: true});
    };
    expect(await texts({input: 'This'}, {template: 'study'})).not.toContain('This');
    const named = {template: 'study', columns: {input: 'input'}} as const;
    expect(await texts({input: 'This'}, named)).toContain(
      '### Instruction:\nDo.\n\n### Input:\nThis\n\n### Response:Ok',
    );
    expect(await texts({input: ''}, named)).toContain('### Instruction:\nDo.\n\n### Response:Ok');
    expect(await texts({input: null}, named)).toContain('### Instruction:\nDo.\n\n### Response:Ok');
    expect(await texts({input: 'This'}, {...named, template: 'plain'})).toBe('Do.\nThis\nOk');
    expect(await texts({input: 'This'}, {template: {prompt: 'Q {instruction} {input} A '}})).toBe('Q Do. This A Ok');
    // One row may lack it; a column that none has is named wrongly.
    const some = await load(
      [
        {instruction: 'Do.', output: 'Ok'},
        {instruction: 'Do.', output: 'Ok', input: 'This'},
      ],
      {format: 'instruction', ...named},
      stories,
    );
    expect(tokenizer!.decode(rowsOf(some)[0]!.ids, {skipSpecial: true})).toContain('Do.\n\n### Response:Ok');
    await expect(texts({}, named)).rejects.toThrow(/rows.jsonl:1: there is no column "input"/);
  });
});

describe('format text', () => {
  it('carries loss everywhere and ends with eos', async () => {
    const dataset = await load([{text: 'ab'}], {format: 'text'});
    expect(rowsOf(dataset)).toEqual([{ids: [1, 13, 14, 2], labels: [1, 13, 14, 2]}]);
  });

  it('of real stories has as many tokens to learn as the reference counts', async () => {
    const golden = JSON.parse(readFileSync(join(fixtures, 'stories260K/golden.json'), 'utf8'));
    const dataset = await loadDataset(
      {...settings, train: ['stories.jsonl'], format: 'text', rows: 60},
      join(fixtures, 'tinystories'),
      stories,
    );
    // The reference has no eos: it learns all tokens of a row but the first.
    const tokens = rowsOf(dataset).reduce(
      (sum, {ids}) => sum + (ids.at(-1) === 2 ? ids.length - 2 : ids.length - 1),
      0,
    );
    expect(tokens).toBe(golden.tokens);
    expect(rowsOf(dataset).every(({ids}) => ids[0] === 1 && ids.length <= 512)).toBe(true);
  });
});

describe('packed text', () => {
  const packed = (rows: object[], maxLength: number) => load(rows, {format: 'text', packing: true, maxLength});

  it('is one text after another with eos between, cut into blocks; what is left fills no block', async () => {
    // Each text is bos, its letters, eos.
    const texts = [{text: 'abc'}, {text: 'd'}, {text: 'ef'}];
    const all = [1, 13, 14, 15, 2, 1, 16, 2, 1, 17, 18, 2];
    const blocks = (length: number) =>
      Array.from({length: Math.floor(12 / length)}, (_, i) => all.slice(i * length, (i + 1) * length));
    for (const length of [2, 4, 5, 7]) {
      const dataset = await packed(texts, length);
      expect(rowsOf(dataset)).toEqual(blocks(length).map(ids => ({ids, labels: ids})));
      expect(dataset).toMatchObject({truncated: 0, empty: 0});
    }
  });

  it('shorter than a block is one block', async () => {
    expect(rowsOf(await packed([{text: 'a'}], 8))).toEqual([{ids: [1, 13, 2], labels: [1, 13, 2]}]);
  });
});

describe('format tokens', () => {
  const tokens = (rows: object[], changes: Partial<DataSettings> = {}) =>
    load(rows, {format: 'tokens', ...changes}, {tokenizer: null, config: {vocabSize: 96, eosIds: [2]}});

  it('is taken as it is, padding cut off with or without a mask', async () => {
    const dataset = await tokens([
      {input_ids: [1, 5, 6, 2], labels: [-100, -100, 6, 2]},
      {input_ids: [1, 5, 6, 0, 0], labels: [-100, 5, 6, -100, -100], attention_mask: [1, 1, 1, 0, 0]},
      {input_ids: [1, 5, 6, 0, 0], labels: [-100, 5, 6, -100, -100]},
    ]);
    expect(rowsOf(dataset)).toEqual([
      {ids: [1, 5, 6, 2], labels: [-100, -100, 6, 2]},
      {ids: [1, 5, 6], labels: [-100, 5, 6]},
      {ids: [1, 5, 6], labels: [-100, 5, 6]},
    ]);
    expect(dataset.truncated).toBe(0);
  });

  it.each([
    [{labels: [1]}, /no column "input_ids"; the row has labels/],
    [{input_ids: [1, 2]}, /no column "labels"/],
    [{input_ids: 'ab', labels: [1]}, /"input_ids" is not a list/],
    [{input_ids: [1, 96], labels: [1, 2]}, /input_ids\[1\] is 96 where a token id below 96/],
    [{input_ids: [1, 1.5], labels: [1, 2]}, /input_ids\[1\] is 1.5/],
    [{input_ids: [1, -1], labels: [1, 2]}, /input_ids\[1\] is -1/],
    [{input_ids: [1, 2], labels: [1, -1]}, /labels\[1\] is -1 where a token id below 96 or -100/],
    [{input_ids: [1, 2], labels: [1]}, /input_ids has 2 values, labels 1/],
    [{input_ids: [1, 2], labels: [1, 2], attention_mask: [1]}, /attention_mask 1/],
    [{input_ids: [1, 2], labels: [1, 2], attention_mask: [1, 2]}, /attention_mask\[1\] is 2/],
    [{input_ids: [0, 2], labels: [-100, 2], attention_mask: [0, 1]}, /0 before 1/],
    [{input_ids: [1, 2, 0], labels: [1, 2, 0], attention_mask: [1, 1, 0]}, /labels of padding/],
  ])('that cannot be is refused: %j', async (row, message) => {
    await expect(tokens([row])).rejects.toThrow(message);
    await expect(tokens([row])).rejects.toThrow(/rows.jsonl:1: /);
  });
});

describe('a dataset', () => {
  it('counts rows that were cut and leaves out those with nothing to learn', async () => {
    const dataset = await load(
      [
        {prompt: 'ab', completion: 'cde'},
        {prompt: 'abcdef', completion: 'g'},
        {prompt: 'a', completion: ''},
      ],
      {maxLength: 5},
    );
    expect(rowsOf(dataset)).toEqual([
      {ids: [1, 13, 14, 15, 16], labels: [-100, -100, -100, 15, 16]},
      {ids: [1, 13, 2], labels: [-100, -100, 2]},
    ]);
    expect(dataset).toMatchObject({count: 2, truncated: 2, empty: 1});
  });

  it('takes the first rows only, and tells how far it is', async () => {
    const columns = {completion: 'answer'};
    const heard: [number, number][] = [];
    const data = {...settings, train: ['desc-train.jsonl', 'desc-test.jsonl'], columns};
    const progress = (rows: number, total: number) => heard.push([rows, total]);
    const dataset = await loadDataset({...data, rows: 4900}, demo, toy, {progress});
    expect(dataset.count).toBe(4900);
    expect(heard.map(([rows]) => rows)).toEqual([1000, 2000, 3000, 4000, 4900]);
    expect(heard.every(([rows, total]) => total >= rows && total <= 4900)).toBe(true);
  });

  it('can be stopped while it is read', async () => {
    const stop = new AbortController();
    const reading = loadDataset(
      {...settings, train: ['desc-train.jsonl'], columns: {completion: 'answer'}},
      demo,
      toy,
      {
        progress: rows => (rows === 2000 ? stop.abort() : undefined),
        signal: stop.signal,
      },
    );
    await expect(reading).rejects.toThrow(expect.objectContaining({code: 'stopped'}));
  });

  it('with nothing in it, or nothing to learn, is refused', async () => {
    await expect(load([])).rejects.toThrow(/There are no rows in .*rows.jsonl/);
    await expect(load([{prompt: 'abc', completion: 'd'}], {maxLength: 3})).rejects.toThrow(/No row .* max_length 3/);
  });

  it('of another model than its tokenizer is refused', async () => {
    const model = {...toy, config: {...toy.config, vocabSize: 20}};
    await expect(load([{prompt: 'a', completion: 'z'}], {}, model)).rejects.toThrow(/:1: .*token 38 .*only 20/);
  });

  it('needs a tokenizer unless it has tokens', async () => {
    const row = {prompt: 'a', completion: 'b'};
    await expect(load([row], {}, {...toy, tokenizer: null})).rejects.toThrow(/no tokenizer/);
  });
});

describe('the prompts of an evaluation', () => {
  it('of the toy task are bos and prompt, with the answer beside them', async () => {
    const prompts = await readPrompts(
      {data: 'desc-test.jsonl', limit: 2},
      {...settings, columns: {completion: 'answer'}},
      demo,
      toy,
    );
    expect(prompts.map(prompt => prompt.answer)).toEqual(['ffeedba', 'igc']);
    expect(prompts[1]).toEqual({ids: [1, 23, 45, 21, 19, 15, 44], answer: 'igc', answerIds: [21, 19, 15]});
  });

  it('are what training masks', async () => {
    const data = {...settings, format: 'instruction', template: 'study'} as const;
    const row = {instruction: 'Do.', output: 'Ok'};
    const dataset = rowsOf(await load([row], data, stories))[0]!;
    const [prompt] = await readPrompts({data: 'rows.jsonl'}, data, folder, stories);
    expect(prompt!.ids).toEqual(dataset.ids.filter((_, t) => dataset.labels[t] === -100));
    expect(prompt!.answer).toBe('Ok');
  });

  it('of tokens are all before the first label; eos is no part of the answer', async () => {
    const row = {input_ids: [1, 5, 6, 7, 2, 0], labels: [-100, -100, 6, 7, 2, -100]};
    writeFileSync(join(folder, 'tokens.jsonl'), JSON.stringify(row));
    const data = {...settings, format: 'tokens'} as const;
    const model = {tokenizer: null, config: {vocabSize: 96, eosIds: [2]}};
    expect(await readPrompts({data: 'tokens.jsonl'}, data, folder, model)).toEqual([
      {ids: [1, 5], answer: null, answerIds: [6, 7]},
    ]);
    await load([{input_ids: [1], labels: [1]}], data, model).catch(() => {});
    await expect(readPrompts({data: 'rows.jsonl'}, data, folder, model)).rejects.toThrow(
      /no prompt followed by labels/,
    );
  });

  it('are refused with file and row where the model has no embedding of a token', async () => {
    const model = {...toy, config: {...toy.config, vocabSize: 20}};
    await load(
      [
        {prompt: 'a', completion: 'a'},
        {prompt: 'z', completion: 'a'},
      ],
      {},
      toy,
    );
    await expect(readPrompts({data: 'rows.jsonl'}, settings, folder, model)).rejects.toThrow(
      /rows.jsonl:2: the tokenizer gives token 38 but the model has only 20/,
    );
  });

  it('of plain text do not exist', async () => {
    const data = {...settings, format: 'text'} as const;
    await expect(readPrompts({data: 'rows.jsonl'}, data, folder, toy)).rejects.toThrow(/no answers to be matched/);
  });
});
