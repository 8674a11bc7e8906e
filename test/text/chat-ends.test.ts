/** Where answers end by the published tokenizers and their chat templates, and what `check` says of it. */
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {answerEnds, endsOfTrained} from '../../trainer/data/answer-ends.ts';
import {endFaults} from '../../trainer/inspect/ends.ts';
import {configFrom} from '../../trainer/model/read-config.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {chatSettings as chats} from '../trainer/data/chat-settings.ts';
import {modelFolder, type Published} from './published.ts';

const templates = fileURLToPath(new URL('../fixtures/text/templates/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chat-ends-'));
afterAll(() => rmSync(folder, {recursive: true}));

const instructions: DataSettings = {...chats, format: 'instruction', template: 'study'};

/** The tokenizer as published, with the model's chat template where the package has none. */
function tokenizerOf(name: Published) {
  const own = join(folder, name);
  mkdirSync(own, {recursive: true});
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(modelFolder(name), file), join(own, file));
  const template = `${templates}${name}.jinja`;
  if (existsSync(template)) copyFileSync(template, join(own, 'chat_template.jinja'));
  return openTokenizer(own);
}

/** What these two files say of the end of a text, for a small Llama. */
function endsIn(config: object, generation: object) {
  const sizes = {
    hidden_size: 8,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    vocab_size: 300_000,
  };
  const {eosIds, eosIn} = configFrom({model_type: 'llama', ...sizes, ...config}, {...generation}, 'config.json');
  return {eosIds, eosIn};
}

interface Case {
  name: Published;
  config: object;
  generation: object;
  /** Tokens by their texts. */
  ends: string[];
  /** Of what `check` says of chats; null: nothing. */
  says: RegExp | null;
}

const eos = (ids: number | number[]) => ({eos_token_id: ids});

const cases: [string, Case][] = [
  ['Llama 2 chat', {name: 'llama2', config: eos(2), generation: eos(2), ends: ['</s>'], says: null}],
  [
    'Llama 3.1 Instruct, whose files list three ends',
    {
      name: 'llama3_1',
      config: eos([128001, 128008, 128009]),
      generation: eos([128001, 128008, 128009]),
      // Token 128008, <|eom_id|> in Meta's own files.
      ends: ['<|end_of_text|>', '<|reserved_special_token_4|>', '<|eot_id|>'],
      says: /^The model's files name different ends of a text \(generation_config.json: <\|end_of_text\|>, <\|reserved_special_token_4\|>, <\|eot_id\|>; .*tokenizer_config.json: <\|eot_id\|>\): answers here end at each of them\.$/,
    },
  ],
  [
    'Llama 3.1 base with the template of Instruct',
    {
      name: 'llama3_1',
      config: eos(128001),
      generation: eos(128001),
      ends: ['<|end_of_text|>', '<|eot_id|>'],
      says: /^The training rows end with <\|eot_id\|>, but .* add 128009 to eos_token_id in generation_config.json/,
    },
  ],
  [
    'gpt-oss, whose generation_config.json alone names <|call|>',
    {
      name: 'gptoss',
      config: eos(200002),
      generation: eos([200002, 199999, 200012]),
      ends: ['<|return|>', '<|endoftext|>', '<|call|>'],
      says: /different ends of a text \(generation_config.json: <\|return\|>, <\|endoftext\|>, <\|call\|>; config.json: <\|return\|>;/,
    },
  ],
  [
    'a base whose end stands only in generation_config.json',
    {name: 'qwen3', config: {}, generation: eos(151645), ends: ['<|im_end|>'], says: null},
  ],
  [
    'a base whose generation_config.json alone names another end',
    {
      name: 'qwen3',
      config: {},
      generation: eos(151643),
      ends: ['<|endoftext|>', '<|im_end|>'],
      says: /rows end with <\|im_end\|>, but .*\(generation_config.json: <\|endoftext\|>; tokenizer_config.json: <\|im_end\|>\)/,
    },
  ],
  [
    'Gemma 3, whose turns end otherwise than its texts',
    {
      name: 'gemma3',
      config: eos([1, 106]),
      generation: eos([1, 106]),
      ends: ['<eos>', '<end_of_turn>'],
      says: /different ends of a text .*<eos>, <end_of_turn>/,
    },
  ],
];

describe('answers of a chat model', () => {
  it.each(cases)('end as its files and its template have it: %s', (_, {name, config, generation, ends, says}) => {
    const tokenizer = tokenizerOf(name);
    const model = {tokenizer, config: endsIn(config, generation)};
    const found = answerEnds(chats, model);
    const texts = found.ids.map(id => tokenizer.decode([id], {skipSpecial: false}));
    expect(texts.toSorted()).toEqual(ends.toSorted());
    expect(found.texts).toEqual([]);
    // The same where nobody knows what the model was trained on.
    expect(endsOfTrained(model, undefined).ids.toSorted()).toEqual(found.ids.toSorted());
    const faults = endFaults(chats, model);
    expect(faults).toHaveLength(says === null ? 0 : 1);
    if (says !== null) expect(faults[0]!.message).toMatch(says);
  });

  it('that learns no chats end at its files and its tokenizer only', () => {
    const tokenizer = tokenizerOf('llama2');
    const model = {tokenizer, config: endsIn({}, eos(7))};
    expect(answerEnds(instructions, model).ids).toEqual([7, 2]);
    expect(endFaults(instructions, model)[0]!.message).toMatch(/rows end with <\/s>, but .*add 2 to eos_token_id/);
  });
});
