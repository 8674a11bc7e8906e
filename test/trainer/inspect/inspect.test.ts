import {copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {inspect} from '../../../trainer/inspect/inspect.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inspect-'));
  // A model of 512 tokens, once with a chat template and once without.
  for (const [name, tokenizer] of [
    ['chat', 'chat/gemma'],
    ['bare', 'goldens/tokenizers/gemma'],
  ] as const) {
    cpSync(join(fixtures, 'stories260K'), join(folder, name), {recursive: true});
    cpSync(join(fixtures, tokenizer), join(folder, name), {recursive: true});
  }
  cpSync(join(folder, 'chat'), join(folder, 'chat-base'), {recursive: true});
  for (const name of ['config.json', 'generation_config.json']) endWith(join(folder, 'chat', name), endOfTurn);
  for (const name of ['snappy', 'chats', 'tokens'])
    copyFileSync(join(fixtures, `parquet/${name}.parquet`), join(folder, `${name}.parquet`));
});
afterAll(() => rmSync(folder, {recursive: true}));

/** The id of <end_of_turn>, with which the template ends its turns. */
const endOfTurn = 481;

function endWith(file: string, id: number): void {
  writeFileSync(file, JSON.stringify({...JSON.parse(readFileSync(file, 'utf8')), eos_token_id: id}));
}

async function look(model: string, data: string, rest = '') {
  const text = `model: ${model}\ndata: ${data}\nmethods: [lora]\nlearning_rate: 1e-3\nrank: 2\nbatch_size: 2\n${rest}`;
  const {draft, problems} = readSweep(text, 'a.sweep.yaml');
  expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  return inspect(draft!, join(folder, 'a.sweep.yaml'));
}

const rows = (name: string, ...lines: object[]) =>
  writeFileSync(join(folder, name), lines.map(line => JSON.stringify(line)).join('\n'));

const user = {role: 'user', content: 'Hello'};
const assistant = {role: 'assistant', content: 'Hi there'};

describe('a look at the data', () => {
  it('finds nothing wrong with Parquet rows under the right names', async () => {
    const found = await look('bare', '{train: snappy.parquet, columns: {instruction: query, output: response}}');
    expect(found.faults).toEqual([]);
    expect(found.data).toMatchObject({rows: 40, sampled: 40});
  });

  it('shows a column that is missing in a schema where it is named, with the nearest one that is there', async () => {
    const {faults} = await look('bare', '{train: snappy.parquet, columns: {instruction: query, output: responce}}');
    expect(faults).toMatchObject([
      {code: 'data/missing-column', path: ['data', 'columns', 'output'], instead: 'response'},
    ]);
    expect(faults[0]!.message).toContain('snappy.parquet, row 1: there is no column "responce"; the row has query');
  });

  it('says that a chat needs a template, at the key that asks for it', async () => {
    rows('chat.jsonl', {messages: [user, assistant]});
    const {faults} = await look('bare', '{train: chat.jsonl, format: messages}');
    expect(faults).toMatchObject([{code: 'data/bad-template', path: ['data', 'format']}]);
    const instruction = await look(
      'bare',
      '{train: snappy.parquet, columns: {instruction: query, output: response}, template: chat}',
    );
    expect(instruction.faults).toMatchObject([{code: 'data/bad-template', path: ['data', 'template']}]);
    expect((await look('chat', '{train: chat.jsonl, format: messages}')).faults).toEqual([]);
  });

  it("says where the model's own files do not know the end of the answers that are trained", async () => {
    rows('chat.jsonl', {messages: [user, assistant]});
    const chat = '{train: chat.jsonl, format: messages}';
    const {faults} = await look('chat-base', chat);
    expect(faults).toMatchObject([{code: 'model/end-of-text', severity: 'warning', path: ['data', 'format']}]);
    expect(faults[0]!.message).toMatch(/rows end with <end_of_turn>.*config.json: <bos>.*add 481 to eos_token_id/);
    endWith(join(folder, 'chat-base', 'generation_config.json'), endOfTurn);
    const [other] = (await look('chat-base', chat)).faults;
    expect(other).toMatchObject({code: 'model/end-of-text', severity: 'information'});
  });

  it('says where config.json names a type that holds less than the weights are stored in', async () => {
    const data = '{train: snappy.parquet, columns: {instruction: query, output: response}}';
    const faultsOf = async (changes: object) => {
      const own = join(folder, 'typed');
      cpSync(join(folder, 'bare'), own, {recursive: true});
      const file = join(own, 'config.json');
      const {dtype: _, torch_dtype: __, ...config} = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({...config, ...changes}));
      return (await look('typed', data)).faults;
    };
    for (const changes of [
      {},
      {dtype: 'float32'},
      {torch_dtype: 'float32'},
      {dtype: 'float32', torch_dtype: 'float16'},
    ])
      expect(await faultsOf(changes)).toEqual([]);
    for (const changes of [{dtype: 'bfloat16'}, {torch_dtype: 'float16'}])
      expect(await faultsOf(changes)).toMatchObject([
        {
          code: 'model/stored-type',
          severity: 'information',
          message: expect.stringMatching(
            /names the type b?float16, but (\d+) of \1 weights are stored as F32: transformers rounds/,
          ),
          path: ['model'],
        },
      ]);
  });

  it('names the row whose messages are malformed, or refused by the template', async () => {
    rows('bad.jsonl', {messages: [user, assistant]}, {messages: [user, {role: 'assistant'}]});
    rows('system.jsonl', {messages: [{role: 'system', content: 'Be brief.'}, user, assistant]});
    const fault = async (file: string) => (await look('chat', `{train: ${file}, format: messages}`)).faults;
    expect(await fault('bad.jsonl')).toMatchObject([
      {code: 'data/bad-rows', message: expect.stringMatching(/bad.jsonl:2: messages\[1\] has no content/)},
    ]);
    expect(await fault('system.jsonl')).toMatchObject([
      {code: 'data/bad-rows', message: expect.stringMatching(/system.jsonl:1: .* \(System role not supported\)/)},
    ]);
    expect(await fault('chats.parquet')).toMatchObject([
      {code: 'data/bad-rows', message: expect.stringMatching(/chats.parquet, row 1: .* \(System role not supp/)},
    ]);
  });

  it('does not take conversations of other names for the same', async () => {
    const said = (text: string) => [
      {from: 'human', value: text},
      {from: 'gpt', value: 'Yes'},
    ];
    rows('a.jsonl', {conversations: said('One?')}, {conversations: said('Two?')});
    rows('b.jsonl', {conversations: said('Three?')});
    const rest = 'evaluate: {task: loss, data: b.jsonl}\n';
    expect((await look('chat', '{train: a.jsonl, format: messages}', rest)).faults).toEqual([]);
    rows('b.jsonl', {conversations: said('Two?')});
    expect((await look('chat', '{train: a.jsonl, format: messages}', rest)).faults).toMatchObject([
      {code: 'data/overlap'},
    ]);
  });

  it('says how many rows are left out because nothing of them is learnt', async () => {
    const said = (more: object) => [
      {role: 'user', content: 'One?'},
      {role: 'assistant', content: 'Yes', ...more},
    ];
    rows('a.jsonl', {messages: said({})}, {messages: said({weight: 0})}, {messages: said({weight: 0})});
    const {faults} = await look('chat', '{train: a.jsonl, format: messages}');
    expect(faults.map(({message}) => message).join('\n')).toMatch(/2 of the first 3 rows have no token to learn/);
  });

  it('counts the blocks of packed text', async () => {
    cpSync(join(fixtures, 'tinystories/stories.jsonl'), join(folder, 'stories.jsonl'));
    const {faults, data, cost} = await look(
      'bare',
      '{train: stories.jsonl, format: text, packing: true, max_length: 256}',
    );
    expect(faults).toEqual([]);
    const bytes = readFileSync(join(folder, 'stories.jsonl')).length;
    expect(data!.longest).toBe(256);
    expect(data!.rows).toBeGreaterThan(bytes / 256 / 8);
    expect(cost!.steps['2']).toBe(Math.ceil(data!.rows / 2));
  });
});
