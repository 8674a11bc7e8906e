import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {methods} from '../../core/method/methods.ts';
import {readSweep} from '../../core/sweep/read.ts';
import type {Type} from '../../core/sweep/table/field.ts';
import {keyPaths, typesAt} from '../../core/sweep/table/fields.ts';

const json = (name: string) => JSON.parse(readFileSync(new URL(`../../syntaxes/${name}`, import.meta.url), 'utf8'));
const grammar: {repository: Record<string, {match: string}>} = json('lora-sweep.tmLanguage.json');
const language: {
  wordPattern: string;
  indentationRules: {increaseIndentPattern: string};
  onEnterRules: {beforeText: string; action: {indent: string; appendText?: string}}[];
} = json('language-configuration.json');
const snippets: Record<string, {prefix: string | string[]; body: string | string[]}> = json('snippets.json');

/** The words of the first group of a rule that lists words. */
function wordsOf(rule: string): string[] {
  const group = /\((?!\?)([^()]+)\)/.exec(grammar.repository[rule]?.match ?? '')?.[1] ?? '';
  return group.split('|');
}

/** Words that values of a type may be. */
function* choices(type: Type): Generator<string> {
  if (type.kind === 'choice') yield* Object.keys(type.values);
  else if (type.kind === 'number') yield* type.words ?? [];
  else if (type.kind === 'moment') yield* ['start', 'end'];
  else if (type.kind === 'list') yield* choices(type.of);
  else if (type.kind === 'either') for (const option of type.options) yield* choices(option);
}

const paths = [...keyPaths()];
const isMethod = (word: string) => Object.hasOwn(methods, word);

describe('the grammar', () => {
  it('knows the keys of the language, and no other ones', () => {
    const named = paths.filter(([first, ...rest]) => !(first === 'methods' && rest.length === 1));
    const keys = new Set(named.map(path => path.at(-1) ?? ''));
    expect(wordsOf('knownKey').sort()).toEqual([...keys].sort());
  });

  it('knows the methods', () => {
    expect(wordsOf('method').sort()).toEqual(Object.keys(methods).sort());
  });

  it('knows the words that values may be', () => {
    const words = new Set(paths.flatMap(path => typesAt(path).flatMap(type => [...choices(type)])));
    expect([...words].filter(word => !isMethod(word) && !wordsOf('word').includes(word))).toEqual([]);
  });
});

describe('the language configuration', () => {
  /** The editor's way: the pattern's matches within a line, the one around the column. */
  const wordAt = (line: string, column: number) => {
    for (const match of line.matchAll(new RegExp(language.wordPattern, 'g')))
      if (match.index <= column && column <= match.index + match[0].length) return match[0];
    return undefined;
  };

  it.each([
    ['methods: [lora, init-ab, dora]', 'init-ab'],
    ['learning_rate: {from: 1e-3, to: 1.5e-2}', '1e-3'],
    ['learning_rate: {from: 1e-3, to: 1.5e-2}', '1.5e-2'],
    ['model: ../models/Qwen3-0.6B/base', '../models/Qwen3-0.6B/base'],
    ['model: C:/models/base', 'C:/models/base'],
    ['model: Qwen/Qwen3-0.6B-Base', 'Qwen/Qwen3-0.6B-Base'],
    ['  max_new_tokens: 12', 'max_new_tokens'],
    ['at: [start, 50%]', '50%'],
  ])('keeps the word whole: %s → %s', (line, word) => {
    expect(wordAt(line, line.indexOf(word) + 2)).toBe(word);
  });

  it('indents below a key without a value, and goes on with the next item of a list', () => {
    const indents = (line: string) =>
      language.onEnterRules.find(rule => new RegExp(rule.beforeText).test(line))?.action;
    expect(indents('training:')).toEqual({indent: 'indent'});
    expect(indents('  optimizer:   # the update rule')).toEqual({indent: 'indent'});
    expect(indents('rank: 8')).toBeUndefined();
    expect(indents('  - {task: loss, data: a.jsonl}')).toEqual({indent: 'none', appendText: '- '});
  });
});

describe('the snippets', () => {
  /** What stands there when every default is taken. */
  const expanded = (body: string | string[]) =>
    [body]
      .flat()
      .join('\n')
      .replaceAll(/\$\{\d+\|([^,|]*)[^}]*\}/g, '$1')
      .replaceAll(/\$\{\d+:([^}]*)\}/g, '$1')
      .replaceAll(/\$\d/g, '');

  const required = {
    model: 'model: base',
    data: 'data: {train: a.jsonl}',
    methods: 'methods: [lora]',
    learning_rate: 'learning_rate: 1e-3',
  };

  it.each(Object.keys(snippets))('%s is read without an error', name => {
    const text = expanded(snippets[name]?.body ?? '');
    const rest = Object.entries(required).flatMap(([key, line]) =>
      new RegExp(`^${key}:`, 'm').test(text) ? [] : [line],
    );
    const {problems} = readSweep([text, ...rest].join('\n'));
    expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  });
});
