import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, describe, expect, it} from 'vitest';
import {compileTemplate} from '../../../trainer/jinja/template.ts';
import type {Value} from '../../../trainer/jinja/values.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';

const demo = fileURLToPath(new URL('../../../demo/base', import.meta.url));
const date = new Date('2024-07-26');
const rendered = (text: string, context: [string, Value][] = []): string =>
  compileTemplate(text).render(new Map(context), {date}).text;
const times = (count: number, body: string): string => `{% for i in range(${count}) %}${body}{% endfor %}`;

describe('a template makes no more than a conversation needs', () => {
  it.each([
    [
      'a list that doubles',
      `{% set n = namespace(s=[1]) %}${times(60, '{% set n.s = n.s + n.s %}')}`,
      /a million entries/,
    ],
    ['a tuple that doubles', `{% set n = namespace(s=(1, 2)) %}${times(60, '{% set n.s = n.s + n.s %}')}`, /entries/],
    ['a list of a million lists', '{{ ([[1] * 1000000] * 1000000) | length }}{{ [1] * 1000 * 1001 }}', /entries/],
    ['a text that doubles', `{% set n = namespace(s="a") %}${times(60, '{% set n.s = n.s ~ n.s %}')}`, /four million/],
    ['a text of texts', '{{ "a" * 1000000 * 1000000 }}', /four million/],
    ['a replacement of each letter', '{{ ("a" * 1000000) | replace("a", "b" * 1000000) }}', /four million/],
    ['a wide margin', '{{ "a" | indent(1000000000, true) }}', /four million/],
    ['a wide number', '{{ "%01000000000d" % 1 }}', /four million/],
    ['a centre far away', '{{ "a" | center(1000000000) }}', /four million/],
    ['long lines of JSON', '{{ [1, [2]] | tojson(indent=1000000000) }}', /four million/],
    [
      'lists in lists as text',
      `{% set n = namespace(s=["a"]) %}${times(60, '{% set n.s = [n.s, n.s] %}')}{{ n.s }}`,
      /four million/,
    ],
    [
      'the same as JSON',
      `{% set n = namespace(s=["a"]) %}${times(60, '{% set n.s = [n.s, n.s] %}')}{{ n.s | tojson }}`,
      /four million/,
    ],
    ['a large batch', '{{ [1] | batch(1000000000, 0) | list }}', /a million entries/],
    ['many slices', '{{ [1] | slice(1000000000) | list }}', /a million entries/],
    ['a number that squares', `{% set n = namespace(s=3) %}${times(60, '{% set n.s = n.s * n.s %}')}`, /4096 bits/],
    [
      'lists that are kept',
      `{% set n = namespace(s=[]) %}${times(100, '{% set n.s = n.s + [[0] * 900000] %}')}`,
      /altogether/,
    ],
  ])('%s', (_, text, sentence) => {
    expect(() => rendered(text)).toThrow(sentence);
  });

  it('a long conversation is written', () => {
    const messages = Array.from({length: 2000}, (_, k): Value => `${'word '.repeat(100)}${k}`);
    const text =
      '{% set n = namespace(s="") %}{% for m in messages %}{% set n.s = n.s ~ (m | trim) %}{% endfor %}{{ n.s }}';
    expect(rendered(text, [['messages', messages.slice(0, 400)]])).toHaveLength(messages.slice(0, 400).join('').length);
    expect(rendered('{% for m in messages %}{{ m | trim }}{% endfor %}', [['messages', messages]])).toHaveLength(
      messages.join('').length,
    );
  });
});

describe('a normalizer makes no more of a text than real ones do', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, {recursive: true, force: true});
  });
  const withNormalizer = (normalizer: unknown, added: object[] = []): string => {
    const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-bounds-'));
    folders.push(folder);
    cpSync(demo, folder, {recursive: true});
    const file = join(folder, 'tokenizer.json');
    const definition = JSON.parse(readFileSync(file, 'utf8'));
    const addedTokens = [...definition.added_tokens, ...added];
    writeFileSync(file, JSON.stringify({...definition, normalizer, added_tokens: addedTokens}));
    return folder;
  };
  const replace = (pattern: string, content: string) => ({type: 'Replace', pattern: {Regex: pattern}, content});
  const token = {
    id: 900,
    content: `${'a'.repeat(60)}!`,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: false,
  };

  it('one that quadruples a text forty times is refused', () => {
    const normalizers = Array.from({length: 40}, () => replace('(.)', 'aaaa'));
    expect(() => openTokenizer(withNormalizer({type: 'Sequence', normalizers}))).toThrow(/makes far more of a text/);
  });

  it('so is one that writes a book for every letter', () => {
    const folder = withNormalizer(replace('q', 'b'.repeat(100_000)));
    expect(() => openTokenizer(folder).encode('q'.repeat(100_000), {special: false})).toThrow(/makes far more/);
  });

  it('and one that meets an added token which it grows, or does not come to the end of', () => {
    const normalizers = Array.from({length: 40}, () => replace('(.)', 'aaaa'));
    expect(() => openTokenizer(withNormalizer({type: 'Sequence', normalizers}, [token]))).toThrow(/makes far more/);
    expect(() => openTokenizer(withNormalizer(replace('(a+)+$', 'x'), [token]))).toThrow(/does not come to an end/);
  });
});
