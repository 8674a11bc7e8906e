import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {loadDataset} from '../../../trainer/data/dataset.ts';
import {type EncodingModel, rowEncoder} from '../../../trainer/data/encode.ts';
import type {TokenRow} from '../../../trainer/data/token-row.ts';
import {readPrompts} from '../../../trainer/task/prompts.ts';
import {type Message, openChatTemplate} from '../../../trainer/text/chat-template.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {chatSettings as settings} from './chat-settings.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;
interface Case {
  messages: Message[];
  refused?: string;
  text: string;
  prompt: string;
  ids: number[];
  mask: number[];
}
const expected: Record<string, Case[]> = JSON.parse(readFileSync(join(fixtures, 'chat/expected.json'), 'utf8'));
const templates = Object.keys(expected);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function modelOf(name: string): EncodingModel {
  return {tokenizer: openTokenizer(join(fixtures, 'chat', name)), config: {vocabSize: 1000, eosIds: []}};
}

function encode(model: EncodingModel, values: Record<string, unknown>, changes: Partial<DataSettings> = {}): TokenRow {
  return rowEncoder({...settings, ...changes}, model)({values, file: 'rows.jsonl', line: 3});
}

/** A copy of a fixture whose template is another. */
function withTemplate(name: string, template: string): EncodingModel {
  const copy = mkdtempSync(join(folder, 'model-'));
  cpSync(join(fixtures, 'chat', name), copy, {recursive: true});
  writeFileSync(join(copy, 'chat_template.jinja'), template);
  return {tokenizer: openTokenizer(copy), config: {vocabSize: 1000, eosIds: []}};
}

describe.each(templates)('a chat template as of %s', name => {
  const model = modelOf(name);
  const template = openChatTemplate(join(fixtures, 'chat', name));

  it('writes what transformers writes, tokens and loss on the answers included', () => {
    for (const {messages, refused, text, prompt, ids, mask} of expected[name]!) {
      if (refused !== undefined) {
        expect(() => encode(model, {messages})).toThrow(
          `rows.jsonl:3: the chat template refuses this row (${refused}).`,
        );
        continue;
      }
      expect(template.render(messages, {generationPrompt: false})).toBe(text);
      expect(template.render(messages, {generationPrompt: true})).toBe(prompt);
      const row = encode(model, {messages});
      expect(row.ids).toEqual(ids);
      expect(row.labels).toEqual(ids.map((id, token) => (mask[token] ? id : -100)));
    }
  });
});

describe('a chat row', () => {
  const chatml = modelOf('chatml');
  const [first] = expected['chatml']!;
  const question = first!.messages[0]!.content;
  const answer = first!.messages[1]!.content;

  it('may have the spelling of ShareGPT, parts of text, and nulls where a table has them', () => {
    const whole = encode(chatml, {messages: first!.messages});
    const said = [
      {from: 'human', value: question},
      {from: 'gpt', value: answer},
    ];
    expect(encode(chatml, {conversations: said})).toEqual(whole);
    expect(encode(chatml, {chat: said}, {columns: {messages: 'chat'}})).toEqual(whole);
    const parts = [
      {role: 'user', content: [{type: 'text', text: question}], name: null},
      {role: 'assistant', content: answer, tool_calls: null},
    ];
    expect(encode(chatml, {messages: parts})).toEqual(whole);
  });

  it('is also what an instruction or a completion becomes by the template chat', () => {
    const whole = encode(chatml, {messages: first!.messages});
    const chat = {template: 'chat'} as const;
    const instruction = {...chat, format: 'instruction'} as const;
    expect(encode(chatml, {instruction: question, output: answer}, instruction)).toEqual(whole);
    expect(encode(chatml, {prompt: question, completion: answer}, {...chat, format: 'completion'})).toEqual(whole);
    const input = {instruction: 'How many pens', input: 'are 3 boxes of 4?', output: answer};
    const {ids} = encode(chatml, input, {...instruction, columns: {input: 'input'}});
    expect(chatml.tokenizer!.decode(ids, {skipSpecial: true})).toContain('How many pens\nare 3 boxes of 4?');
  });

  it('may be written with composed or decomposed characters where the tokenizer composes them', () => {
    const llama = modelOf('llama3');
    const said = (form: 'NFC' | 'NFD') => [
      {role: 'user', content: 'Où est le café ?'.normalize(form)},
      {role: 'assistant', content: 'À côté, près de là.'.normalize(form)},
    ];
    expect(encode(llama, {messages: said('NFD')})).toEqual(encode(llama, {messages: said('NFC')}));
  });

  it('is trained on and asked about with the same prompt', async () => {
    const rows = expected['chatml']!.slice(0, 2).map(({messages}) => JSON.stringify({messages}));
    writeFileSync(join(folder, 'rows.jsonl'), rows.join('\n'));
    const {count, ids, labels, starts} = await loadDataset(settings, folder, chatml);
    expect(count).toBe(2);
    const prompts = await readPrompts({data: 'rows.jsonl'}, settings, folder, chatml);
    const learnt = labels.findIndex(label => label !== -100);
    expect(prompts[0]!.ids).toEqual([...ids.subarray(0, learnt)]);
    expect(prompts[0]!.answer).toBe(answer);
    // Only the last answer of a conversation is asked for.
    expect(prompts[1]!.ids.length).toBeGreaterThan(labels.subarray(starts[1]).findIndex(label => label !== -100));
    writeFileSync(join(folder, 'rows.jsonl'), JSON.stringify({messages: expected['chatml']![3]!.messages}));
    await expect(readPrompts({data: 'rows.jsonl'}, settings, folder, chatml)).rejects.toThrow(
      /rows.jsonl:1: the last message is not of the assistant/,
    );
  });

  it.each([
    [{text: 'a'}, 'there is no column "messages"; the row has text'],
    [{messages: 'a'}, 'column "messages" is not a list of messages'],
    [{messages: null}, 'column "messages" is not a list of messages'],
    [{messages: []}, 'column "messages" has no messages'],
    [{messages: ['a']}, 'messages[0] is not an object with role and content'],
    [{messages: [{content: 'a'}]}, 'messages[0] has no role'],
    [
      {
        messages: [
          {role: 'user', content: 'a'},
          {role: 3, content: 'a'},
        ],
      },
      'messages[1] has no role',
    ],
    [{messages: [{role: 'user'}]}, 'messages[0] has no content that is text'],
    [{messages: [{role: 'user', content: [{type: 'image'}]}]}, 'messages[0] has no content that is text'],
  ])('that is none is refused: %j', (values, message) => {
    expect(() => encode(chatml, values)).toThrow(`rows.jsonl:3: ${message}`);
  });

  it('whose template does not show where its answer begins is refused with what to do', () => {
    // No loop shows what each message writes, and the first is written behind the others.
    const shuffled = withTemplate(
      'chatml',
      "{{ messages[1:] | map(attribute='content') | join }}{{ messages[0]['content'] }}",
    );
    expect(() => encode(shuffled, {messages: first!.messages})).toThrow(
      /rows.jsonl:3: the chat template writes messages\[1\] .* put \{% generation %\}/,
    );
  });
});

describe('a chat template', () => {
  it('that is missing, broken or not called default is refused with its file', () => {
    expect(() => openChatTemplate(join(fixtures, 'stories260K'))).toThrow(
      expect.objectContaining({
        code: 'bad-template',
        message: expect.stringMatching(/stories260K has no chat template/),
      }),
    );
    expect(() => encode(withTemplate('chatml', '{% for m in messages %}{{ m'), {messages: []})).toThrow(
      expect.objectContaining({
        code: 'bad-template',
        message: expect.stringMatching(/chat_template.jinja cannot be read/),
      }),
    );
    const copy = mkdtempSync(join(folder, 'named-'));
    writeFileSync(join(copy, 'chat_template.json'), '{"chat_template": [{"name": "rag", "template": "a"}]}');
    expect(() => openChatTemplate(copy)).toThrow(/None of the chat templates .* is called default \(rag\)/);
    writeFileSync(join(copy, 'chat_template.json'), '{"chat_template": "{{ messages | length }}"}');
    expect(openChatTemplate(copy).render([], {generationPrompt: false})).toBe('0');
  });

  it('with what the library does not know is refused where it is used', () => {
    const model = withTemplate('chatml', '{{ messages | no_such_filter }}');
    const messages = [{role: 'user', content: 'a'}];
    expect(() => encode(model, {messages})).toThrow(
      /rows.jsonl:3: the chat template refuses this row \(.*no_such_filter/,
    );
  });

  it('that can do without the date does not get it', () => {
    const dated = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %}";
    const {tokenizer} = withTemplate('chatml', dated);
    expect(openChatTemplate(tokenizer!.folder).render([], {generationPrompt: false})).toBe('2024');
  });
});
