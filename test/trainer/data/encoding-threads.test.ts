/** What several threads make of rows is what one makes of them: tokens, their order, and which row an error names. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {loadDataset} from '../../../trainer/data/dataset.ts';
import {checkedEncoder, type EncodingModel} from '../../../trainer/data/encode.ts';
import {readRows} from '../../../trainer/data/read/rows.ts';
import {encodedUnderClock, inBatches, resultsIn} from '../../../trainer/data/read/timed-rows.ts';
import {encodedOnThreads, threadsFor} from '../../../trainer/data/threads/encoding-threads.ts';
import {received, sendable, WrittenNumber} from '../../../trainer/files/written-json.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {chatSettings} from './chat-settings.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
const folderOf = {plain: join(fixtures, 'goldens/tokenizers/bytelevel'), chat: join(fixtures, 'chat/chatml')};
const config = {vocabSize: 1000, eosIds: [0]};
const modelIn = (folder: string): EncodingModel => ({tokenizer: openTokenizer(folder), config});
const settings: DataSettings = {...chatSettings, format: 'completion'};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'threads-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function stored(lines: readonly string[]): string {
  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, lines.join('\n'));
  return file;
}

interface Seen {
  rows: {ids: number[]; labels: number[]}[];
  error?: {code?: string; message: string; data?: unknown};
}

/** Tokens up to an error, and the error. */
async function seen(rows: AsyncIterable<{ids: ArrayLike<number>; labels: ArrayLike<number>}>): Promise<Seen> {
  const all: Seen = {rows: []};
  try {
    for await (const {ids, labels} of rows) all.rows.push({ids: Array.from(ids), labels: Array.from(labels)});
  } catch (error) {
    const {code, message, data} = error as NonNullable<Seen['error']>;
    all.error = {...(code !== undefined && {code}), message, data};
  }
  return all;
}

async function* here(file: string, data: DataSettings, model: string) {
  const encode = checkedEncoder(data, modelIn(model));
  for await (const batch of inBatches(readRows([file])))
    yield* resultsIn(encodedUnderClock(batch, `The tokenizer in ${model}`, encode));
}

async function* onThreads(file: string, data: DataSettings, model: string) {
  for await (const encoded of encodedOnThreads(inBatches(readRows([file])), {data, config, folder: model}, 3))
    yield* resultsIn(encoded);
}

async function bothWays(lines: readonly string[], data: DataSettings = settings, model = folderOf.plain) {
  const file = stored(lines);
  const [one, three] = [await seen(here(file, data, model)), await seen(onThreads(file, data, model))];
  expect(three).toEqual(one);
  return one;
}

/** Long rows among short ones: a thread that is given one is done after those that come later. */
const row = (i: number) =>
  JSON.stringify({prompt: `What is ${i}? ${'abc '.repeat(i % 97 === 0 ? 400 : i % 5)}`, completion: `It is ${i}.`});
const many = Array.from({length: 1500}, (_, i) => row(i));
const chat = (content: string) =>
  JSON.stringify({
    messages: [
      {role: 'user', content: 'hi'},
      {role: 'assistant', content},
    ],
  });

describe('rows on several threads', () => {
  it('are the same tokens in the same order', async () => {
    expect((await bothWays(many)).rows).toHaveLength(many.length);
    const chats = Array.from({length: 300}, (_, i) => chat(`no. ${i}`));
    expect((await bothWays(chats, chatSettings, folderOf.chat)).rows).toHaveLength(300);
  });

  it('have numbers as the file writes them', async () => {
    const numbers = ['2.0', '1e22', '12345678901234567890', '-0'].map(text => `{"prompt": ${text}, "completion": "a"}`);
    const {rows} = await bothWays(numbers);
    const digits = modelIn(folderOf.plain).tokenizer!.encode('12345678901234567890', {special: false});
    expect(rows[2]!.ids).toEqual(expect.arrayContaining(digits));
  });

  it('that are wrong are named as one thread names them, after all before them', async () => {
    const column = await bothWays(many.with(700, '{"prompt": "a", "answer": "b"}'));
    expect(column.rows).toHaveLength(700);
    expect(column.error).toMatchObject({code: 'missing-column', data: {line: 701}});
    // The first of two, though a thread sees the other one earlier.
    const first = await bothWays(many.with(194, '{"prompt": null, "completion": "b"}').with(260, '{"prompt": 1}'));
    expect(first.error).toMatchObject({code: 'bad-data', data: {line: 195}});
    const broken = await bothWays(many.with(900, '{"prompt":'));
    expect(broken.rows).toHaveLength(900);
    expect(broken.error?.message).toMatch(/:901: this row is not JSON/);
    const refused = await bothWays([...Array(100).fill(chat('a')), '{"messages": []}'], chatSettings, folderOf.chat);
    expect(refused.error?.message).toMatch(/:101: .*has no messages/);
  });

  it('are the same data set, which can be stopped on its way', async () => {
    // One word: quickly made tokens of.
    const long = 'a'.repeat(990);
    const lines = Array.from({length: 10_200}, (_, i) => JSON.stringify({prompt: `${i} ${long}`, completion: `${i}`}));
    const data = {...settings, train: [stored(lines)], maxLength: 100_000};
    expect(threadsFor([{name: data.train[0]!, bytes: Buffer.byteLength(lines.join('\n'))}], 8)).toBe(2);
    const model = modelIn(folderOf.plain);
    const heard: number[] = [];
    const progress = (rows: number) => heard.push(rows);
    expect(await loadDataset(data, '.', model, {threads: 8, progress})).toEqual(await loadDataset(data, '.', model));
    expect(heard).toEqual([...Array.from({length: 10}, (_, k) => 1000 * (k + 1)), 10_200]);
    const stop = new AbortController();
    const reading = loadDataset(data, '.', model, {threads: 8, signal: stop.signal, progress: () => stop.abort()});
    await expect(reading).rejects.toThrow(expect.objectContaining({code: 'stopped'}));
  });
});

describe('what is sent to a thread', () => {
  it('comes back as it was, numbers as they are written included', () => {
    const value = {a: new WrittenNumber('2.0'), b: [1, 'x', null, {c: [new WrittenNumber('1e5')]}], d: {}, e: true};
    const back = received(structuredClone(sendable(value)));
    expect(back).toEqual(value);
    expect((back as typeof value).a).toBeInstanceOf(WrittenNumber);
    expect(Object.keys(back as object)).toEqual(Object.keys(value));
    const plain = {a: 1, b: ['x']};
    expect(sendable(plain)).toBe(plain);
  });
});
