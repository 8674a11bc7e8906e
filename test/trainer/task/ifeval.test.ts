import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {ifeval} from '../../../trainer/task/ifeval/ifeval.ts';
import {metricsOf} from '../../../trainer/task/judge.ts';
import type {Tools} from '../../../trainer/task/task.ts';
import {testFolder} from '../test-folder.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const folder = testFolder();
type Case = [id: string, kwargs: Record<string, unknown>, response: string, followed: boolean];
const cases: Case[] = JSON.parse(readFileSync(join(fixtures, 'ifeval/cases.json'), 'utf8'));
const kinds = [...new Set(cases.map(([id]) => id))];

const rowOf = (ids: unknown, kwargs: unknown) => ({
  values: {prompt: 'Write.', instruction_id_list: ids, kwargs},
  file: 'a.jsonl',
  line: 2,
});
const judged = (id: string, kwargs: Record<string, unknown>, response: string) =>
  ifeval.judge(rowOf([id], [kwargs]), response, {} as Tools);

describe('what a response follows', () => {
  it.each(kinds)('of %s is what the published checker says', async id => {
    const own = cases.filter(([kind]) => kind === id);
    expect(new Set(own.map(([, , , followed]) => followed))).toEqual(new Set([true, false]));
    for (const [, kwargs, response, followed] of own)
      expect((await judged(id, kwargs, response)).verdict, JSON.stringify([kwargs, response])).toBe(followed);
  });

  it.each<[string, Record<string, unknown>, string, boolean]>([
    ['keywords:existence', {keywords: ['Rock', 'naïve']}, 'NAÏVE rockers', true],
    ['keywords:forbidden_words', {forbidden_words: ['rock']}, 'rockers', true],
    ['keywords:frequency', {keyword: 'a.b', frequency: 2, relation: 'at least'}, 'a-b a\nb a b', true],
    ['keywords:letter_frequency', {letter: '!', let_frequency: 2, let_relation: 'at least'}, 'a!b!', true],
    ['keywords:letter_frequency', {letter: 'T', let_frequency: 2, let_relation: 'less than'}, 'tT', false],
    ['length_constraints:number_words', {num_words: 3, relation: 'at least'}, 'one-two é', true],
    ['length_constraints:number_paragraphs', {num_paragraphs: 2}, 'a\n***\nb\n***\n', true],
    ['length_constraints:number_paragraphs', {num_paragraphs: 2}, 'a *** *** b', false],
    [
      'length_constraints:nth_paragraph_first_word',
      {num_paragraphs: 2, nth_paragraph: 2, first_word: 'The'},
      'a\n\n"The, b',
      true,
    ],
    ['detectable_content:postscript', {postscript_marker: 'P.S.'}, 'x p. s. y', true],
    ['detectable_content:postscript', {postscript_marker: 'P.P.S'}, 'P.S.', false],
    ['detectable_format:number_bullet_lists', {num_bullets: 2}, '* a\n - b\n** c', true],
    ['detectable_format:number_highlighted_sections', {num_highlights: 2}, '**a**', false],
    ['detectable_format:number_highlighted_sections', {num_highlights: 1}, '* *', false],
    [
      'detectable_format:multiple_sections',
      {section_spliter: 'Section', num_sections: 2},
      'Section 1 a Section2',
      true,
    ],
    ['detectable_format:json_format', {}, '```json\n{"a": NaN}\n```', true],
    ['detectable_format:json_format', {}, 'Here: {}', false],
    ['detectable_format:title', {}, '<< >>', false],
    ['combination:two_responses', {}, 'a******a ', false],
    ['startend:end_checker', {end_phrase: 'Bye.'}, '"So. bye."', true],
    ['startend:quotation', {}, '"', false],
    [
      'change_case:capital_word_frequency',
      {capital_frequency: 4, capital_relation: 'at least'},
      'DON’T CANNOT A–B',
      true,
    ],
    ['punctuation:no_comma', {}, '', false],
  ])('%s %j: %j', async (id, kwargs, response, followed) => {
    expect((await judged(id, kwargs, response)).verdict).toBe(followed);
  });

  it('is told part by part, and nulls beside an argument are nothing', async () => {
    const kwargs = [
      {num_words: null, relation: null},
      {num_words: 2, relation: 'at least', keywords: null},
    ];
    const row = rowOf(['punctuation:no_comma', 'length_constraints:number_words'], kwargs);
    expect(await ifeval.judge(row, 'a, b', {} as Tools)).toEqual({
      ...{extracted: 'a, b', verdict: false, parts: {right: 1, total: 2}},
      reason: 'does not follow punctuation:no_comma',
    });
  });
});

describe('a row', () => {
  it.each<[unknown, unknown, RegExp]>([
    [['keywords:existence'], [{}], /a\.jsonl:2: keywords:existence needs a list of texts as keywords/],
    [
      ['keywords:frequency'],
      [{keyword: 'a', frequency: 1, relation: 'more'}],
      /needs "less than" or "at least" as relation/,
    ],
    [['keywords:frequency'], [{keyword: '(', frequency: 1, relation: 'at least'}], /a text that can be looked for/],
    [['length_constraints:number_words'], [{num_words: -1, relation: 'at least'}], /a whole number as num_words/],
    [['keywords:rhymes'], [{}], /IFEval has no instruction "keywords:rhymes"/],
    [['constructor'], [{}], /IFEval has no instruction/],
    [['punctuation:no_comma'], [], /no lists of the same length/],
    [['punctuation:no_comma'], ['x'], /kwargs\[0\] is no mapping/],
  ])('%j with %j is refused', (ids, kwargs, message) => {
    expect(() => ifeval.expected(rowOf(ids, kwargs))).toThrow(message);
  });

  it('that needs a detector of languages or a splitter of sentences is left out, with the reason', () => {
    const why = (...ids: string[]) =>
      ifeval.leftOut!(
        rowOf(
          ids,
          ids.map(() => ({})),
        ),
      );
    expect(why('punctuation:no_comma')).toBeNull();
    expect(why('punctuation:no_comma', 'language:response_language')).toMatch(
      /response_language.*detector of languages/,
    );
    expect(why('change_case:english_capital')).toMatch(/detector/);
    expect(why('change_case:english_lowercase')).toMatch(/detector/);
    expect(why('length_constraints:number_sentences')).toMatch(/splitter of sentences/);
  });
});

describe('the task', () => {
  it('gives the share of prompts, and that of instructions', () => {
    const samples = [
      {verdict: true, parts: {right: 2, total: 2}},
      {verdict: false, parts: {right: 1, total: 3}},
    ];
    expect(metricsOf(samples, 2, {task: 'ifeval'})).toEqual([
      {task: 'ifeval', metric: 'accuracy', value: 0.5, correct: 1, total: 2, right: '2:8'},
      {task: 'ifeval', metric: 'accuracy_instruction', value: 3 / 5, correct: 3, total: 5},
    ]);
  });

  it('runs as a verb, says which lines it leaves out, and refuses a file of such alone', async () => {
    const line = (id: string, kwargs = {}) =>
      `${JSON.stringify({key: 1, prompt: 'Say a word.', instruction_id_list: [id], kwargs: [kwargs]})}\n`;
    const file = join(folder, 'a.jsonl');
    writeFileSync(
      file,
      line('punctuation:no_comma') +
        line('language:response_language', {language: 'kn'}) +
        line('detectable_format:title'),
    );
    const options = {model: join(fixtures, 'stories260K'), engine: 'compiled', columns: {}, maxNewTokens: 8} as const;
    const {scores, remarks} = await evaluateModel({...options, task: 'ifeval', data: file});
    expect(scores.map(({metric, total}) => [metric, total])).toEqual([
      ['accuracy', 2],
      ['accuracy_instruction', 2],
    ]);
    expect(scores[1]!.correct).toBe(scores[0]!.correct);
    expect(remarks).toEqual([
      expect.stringMatching(
        /^ifeval: 1 of 3 rows of .*a\.jsonl are left out.*: lines 2 \(language:response_language, which needs/,
      ),
    ]);
    writeFileSync(file, line('change_case:english_capital'));
    await expect(evaluateModel({...options, task: 'ifeval', data: file})).rejects.toThrow(/1 of 1 rows .* left out/);
  });

  it('has columns of its own', () => {
    const read = (columns: string) =>
      readSweep(
        `model: a\ndata: {train: a.jsonl}\nmethods: [lora]\nlearning_rate: 1e-3\nevaluate: {task: ifeval, data: b.jsonl${columns}}\n`,
      ).problems.filter(({severity}) => severity === 'error');
    expect(read('')).toEqual([]);
    expect(read(', columns: {prompt: p}')[0]?.message).toMatch(
      /ifeval has no column 'prompt': its rows are read as published/,
    );
  });
});
