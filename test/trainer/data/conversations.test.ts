import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {encodeChat} from '../../../trainer/data/chat.ts';
import {conversationOf} from '../../../trainer/data/messages.ts';
import {ignored} from '../../../trainer/data/token-row.ts';
import {asWritten} from '../../../trainer/files/written-json.ts';
import {openChatTemplate, type TemplateSettings} from '../../../trainer/text/chat-template.ts';
import type {Tokenizer} from '../../../trainer/text/tokenizer.ts';
import {chatSettings as settings} from './chat-settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'conversations-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function modelWith(files: Record<string, string>): string {
  const model = mkdtempSync(join(folder, 'model-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(model, name, '..'), {recursive: true});
    writeFileSync(join(model, name), text);
  }
  return model;
}

/** A tokenizer whose tokens are the bytes of a text. */
const bytes: Tokenizer = {
  encode: text => [...Buffer.from(text)],
  decode: ids => Buffer.from(ids).toString(),
  vocabSize: 256,
  leading: [],
  eos: null,
  added: new Set(['<|im_start|>', '<|im_end|>', '<think>', '</think>', '<tool_call>', '</tool_call>']),
  ends: ids => Int32Array.from(ids, (_, i) => i + 1),
  folder: '',
};

/** What is learnt of a row, part by part. */
function learnt(template: string, row: object, of: TemplateSettings = {}): string[] {
  const values = asWritten(JSON.parse(JSON.stringify(row)), JSON.stringify(row)) as Record<string, unknown>;
  const read = {values, file: 'rows.jsonl', line: 1};
  const chat = {template: openChatTemplate(modelWith({'chat_template.jinja': template}), of), tokenizer: bytes};
  const {ids, labels} = encodeChat(conversationOf(read, settings), read, chat);
  const parts: string[] = [];
  for (let start = 0; start < ids.length; start++) {
    if (labels[start] === ignored) continue;
    let end = start;
    while (end < ids.length && labels[end] !== ignored) end++;
    parts.push(Buffer.from(ids.slice(start, end)).toString());
    start = end;
  }
  return parts;
}

const user = (content: string) => ({role: 'user', content});
const assistant = (content: string, more: object = {}) => ({role: 'assistant', content, ...more});

const chatml = String.raw`{%- for m in messages %}
{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;

describe('what is learnt of a conversation', () => {
  it('is the whole of each answer with the token that ends it, whatever characters are in it', () => {
    const said = '\ufdd0a\ufdd1 \ufffe{% generation %} <|im_start|>user\n';
    const row = {messages: [user('q'), assistant(said), user('r'), assistant('b')]};
    expect(learnt(chatml, row)).toEqual([`${said}<|im_end|>`, 'b<|im_end|>']);
    const marked = chatml.replace(
      "{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}",
      "{{- '<|im_start|>' + m.role + '\\n' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif %}{{ '\\n' }}",
    );
    expect(learnt(marked, row)).toEqual([`${said}<|im_end|>`, 'b<|im_end|>']);
  });

  it('has tool calls, also where a template writes a turn in another way once others follow', () => {
    const calls = String.raw`{%- for m in messages %}
{{- '<|im_start|>' + m.role + '\n' }}
{%- if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}
{{- m.content }}
{%- for call in m.tool_calls or [] %}{{ '<tool_call>\n' ~ call.function|tojson ~ '\n</tool_call>' }}{% endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
    const call = {type: 'function', function: {name: 'f', arguments: {x: 2, y: 'é'}}};
    const row = {
      messages: [user('q'), assistant('', {tool_calls: [call]}), {role: 'tool', content: '3'}, assistant('a')],
    };
    expect(learnt(calls, row)).toEqual([
      '<tool_call>\n{"name": "f", "arguments": {"x": 2, "y": "é"}}\n</tool_call><|im_end|>',
      '<think>\n\n</think>\n\na<|im_end|>',
    ]);
  });

  it('begins behind a generation prompt that opens a thought, or before the thought where there is none', () => {
    const thoughts = chatml.replace("{{ '<|im_start|>assistant\\n' }}", "{{ '<|im_start|>assistant\\n<think>\\n' }}");
    const row = {messages: [user('q'), assistant('a'), user('r'), assistant('<think>\nhm\n</think>\nb')]};
    expect(learnt(thoughts, row)).toEqual(['a<|im_end|>', 'hm\n</think>\nb<|im_end|>']);
  });

  it('leaves out messages of weight 0, with marks and without', () => {
    const row = {messages: [user('q'), assistant('a', {weight: 0}), user('r'), assistant('b', {weight: 1})]};
    expect(learnt(chatml, row)).toEqual(['b<|im_end|>']);
    const marked =
      "{% for m in messages %}[{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}]{% endfor %}";
    expect(learnt(marked, row)).toEqual(['b']);
    const half = {messages: [user('q'), assistant('a', {weight: 0.5})]};
    expect(() => learnt(chatml, half)).toThrow(/rows.jsonl:1: messages\[1\] has the weight 0.5; it is 1, or 0/);
  });

  it('is refused where another message stands inside of an answer', () => {
    const inside =
      "{% for m in messages if m.role != 'tool' %}{{ m.role }}:{{ m.content }}{% if loop.index0 == 1 %}{{ messages[2].content }}{% endif %}|{% endfor %}{{ 'assistant:' if add_generation_prompt }}";
    const row = {messages: [user('q'), assistant('a'), {role: 'tool', content: 'secret'}, assistant('b')]};
    expect(() => learnt(inside, row)).toThrow(/messages\[1\] in a way that does not show where the answer begins/);
  });
});

describe('a row', () => {
  const shown = '{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}{{ tools | tojson }}';
  const written = (row: object): string => {
    const values = asWritten(JSON.parse(JSON.stringify(row)), JSON.stringify(row)) as Record<string, unknown>;
    const {messages, tools} = conversationOf({values, file: 'rows.jsonl', line: 1}, settings);
    return openChatTemplate(modelWith({'chat_template.jinja': shown})).render(messages, {tools});
  };
  const tool = {type: 'function', function: {name: 'f', parameters: {type: 'object'}}};

  it('hands its tools and its system prompt to the template', () => {
    const messages = [user('q'), assistant('a')];
    const text = 'user=q;assistant=a;';
    expect(written({messages})).toBe(`${text}null`);
    expect(written({messages, tools: null, system: ''})).toBe(`${text}null`);
    const tools = '[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]';
    expect(written({messages, tools: [tool]})).toBe(text + tools);
    expect(written({messages, tools: JSON.stringify([tool])})).toBe(text + tools);
    expect(written({messages, tools: [JSON.stringify(tool)]})).toBe(text + tools);
    expect(written({messages, system: 'Be brief.'})).toBe(`system=Be brief.;${text}null`);
    expect(() => written({messages, tools: '{'})).toThrow(/rows.jsonl:1: column "tools" is a text that is not JSON/);
    expect(() => written({messages, tools: 3})).toThrow(/rows.jsonl:1: column "tools" is not a list of objects/);
    expect(() => written({messages: [{role: 'system', content: 'a'}, ...messages], system: 'b'})).toThrow(
      /two different system prompts/,
    );
  });

  it('of ShareGPT has tool calls and what tools answer', () => {
    const conversations = [
      {from: 'human', value: 'q'},
      {from: 'function_call', value: '{"name": "f", "arguments": {"x": 2.0}}'},
      {from: 'observation', value: '3'},
      {from: 'gpt', value: 'a'},
    ];
    const template =
      '{% for m in messages %}{{ m.role }}={{ m.tool_calls[0].function | tojson if m.tool_calls else m.content }};{% endfor %}';
    const {messages} = conversationOf({values: {conversations}, file: 'rows.jsonl', line: 1}, settings);
    expect(openChatTemplate(modelWith({'chat_template.jinja': template})).render(messages)).toBe(
      'user=q;assistant={"name": "f", "arguments": {"x": 2.0}};tool=3;assistant=a;',
    );
    const broken = {values: {conversations: [{from: 'function_call', value: 'f(x)'}]}, file: 'rows.jsonl', line: 1};
    expect(() => conversationOf(broken, settings)).toThrow(
      /rows.jsonl:1: conversations\[0\] is a text that is not JSON/,
    );
  });

  it('with half of a surrogate pair is refused', () => {
    expect(() => learnt(chatml, {messages: [user('\ud800'), assistant('a')]})).toThrow(/half of a surrogate pair/);
  });
});

describe('a template', () => {
  const render = (files: Record<string, string>, of: TemplateSettings = {}, tools?: object[]): string =>
    openChatTemplate(modelWith(files), of).render([user('q')], {tools});

  it('is given the arguments of the sweep file, which come before the special tokens', () => {
    const files = {
      'chat_template.jinja': '{{ bos_token }} {{ enable_thinking is defined and enable_thinking is false }} {{ list }}',
      'tokenizer_config.json': '{"bos_token": {"content": "<s>"}}',
    };
    expect(render(files)).toBe('<s> False ');
    expect(render(files, {templateArguments: {enable_thinking: false, bos_token: '', list: [1, 'a', null]}})).toBe(
      " True [1, 'a', None]",
    );
  });

  it('is told one fixed day, which is a setting', () => {
    const files = {'chat_template.jinja': "{{ strftime_now('%d %B %Y %A %-d %H:%M') }}"};
    expect(render(files)).toBe('26 July 2024 Friday 26 00:00');
    expect(render(files, {templateDate: '2025-03-05'})).toBe('05 March 2025 Wednesday 5 00:00');
  });

  it('is found as transformers finds it: files first, tool_use for rows with tools', () => {
    const named = [
      {name: 'default', template: 'D'},
      {name: 'tool_use', template: 'T'},
      {name: 'rag', template: 'R'},
    ];
    const config = {'tokenizer_config.json': JSON.stringify({chat_template: named})};
    expect(render(config)).toBe('D');
    expect(render(config, {}, [{}])).toBe('T');
    const files = {...config, 'chat_template.jinja': 'F', 'additional_chat_templates/tool_use.jinja': 'FT'};
    expect(render(files)).toBe('F');
    expect(render(files, {}, [{}])).toBe('FT');
    expect(render({...config, 'chat_template.jinja': 'F'}, {}, [{}])).toBe('F');
  });

  it('gets the parts of a message where it reads them, else the text of the only one', () => {
    const parts = {
      role: 'user',
      content: [
        {type: 'text', text: ' a '},
        {type: 'text', text: 'b'},
      ],
    };
    const texts = openChatTemplate(modelWith({'chat_template.jinja': '{{ messages[0].content }}'}));
    expect(texts.render([{...parts, content: parts.content.slice(0, 1)}])).toBe(' a ');
    expect(() => texts.render([parts])).toThrow('messages[0] is a list of 2 parts; write them as one text');
    expect(() => texts.render([{...parts, content: []}])).toThrow('messages[0] is a list of 0 parts');
    for (const [reads, text] of [
      ['{% for part in messages[0].content %}<{{ part.text | trim }}>{% endfor %}', '<a><b>'],
      ["{{ messages[0].content | map(attribute='text') | join('|') }}", ' a |b'],
      ["{{ messages[0]['content'][1]['text'] }}", 'b'],
    ] as const)
      expect(openChatTemplate(modelWith({'chat_template.jinja': reads})).render([parts])).toBe(text);
  });
});
