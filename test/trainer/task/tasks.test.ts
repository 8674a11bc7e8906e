import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, describe, expect, it} from 'vitest';
import {readRows} from '../../../trainer/data/read/rows.ts';
import {metricsOf} from '../../../trainer/task/judge.ts';
import {filtered} from '../../../trainer/task/mathematics/filters.ts';
import {answerNumber, gsm8k} from '../../../trainer/task/mathematics/gsm8k.ts';
import {answerIn, math} from '../../../trainer/task/mathematics/math.ts';
import {boxedAnswer, sameAnswer} from '../../../trainer/task/mathematics/math-equivalence.ts';
import {passAtK} from '../../../trainer/task/pass-at-k.ts';
import {openScorer} from '../../../trainer/task/scorer.ts';
import type {Task, Tools} from '../../../trainer/task/task.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/tasks/', import.meta.url));
const none = {} as Tools;

/** How many rows a task finds right when their own answers are given. */
async function rightOf(task: Task, file: string): Promise<{right: number; rows: number}> {
  let [right, rows] = [0, 0];
  for await (const row of readRows([join(fixtures, file)])) {
    rows++;
    if ((await task.judge(row, task.expected(row), none)).verdict === true) right++;
  }
  return {right, rows};
}

describe('GSM8K', () => {
  it('finds the answer of its own rows, thousands and millions too', async () => {
    expect(await rightOf(gsm8k, 'gsm8k-80.jsonl')).toEqual({right: 80, rows: 80});
  });

  it.each([
    ['so 3 + 4 = 7\n#### 7', '7'],
    ['The answer is: 1,234,567.', '1234567'],
    ['The answer is: 5\nNo. The answer is: $-6.50', '-6.50'],
    ['The answer is: 3/4', '3/4'],
    ['first 5, then 1,007.', '1007'],
    ['it is nothing', null],
    ['The answer is: unknown', null],
  ])('reads %j as %s', (text, number) => {
    expect(answerNumber(text)).toBe(number);
  });

  it('rounds what was said to a whole number, halves to the even one, as the study does', () => {
    const row = (answer: string) => ({values: {question: '', answer: `#### ${answer}`}, file: '', line: 1});
    const right = (said: string, answer: string) => gsm8k.judge(row(answer), `The answer is: ${said}`, none);
    expect(right('6.2', '6')).toMatchObject({verdict: true});
    expect(right('2.5', '2')).toMatchObject({verdict: true});
    expect(right('3.5', '4')).toMatchObject({verdict: true});
    expect(right('9/3', '3')).toMatchObject({verdict: true});
    expect(right('7/0', '7')).toMatchObject({verdict: true});
    expect(right('7', '8')).toMatchObject({verdict: false});
  });
});

describe("the study's own rule", () => {
  const row = (answer: string) => ({values: {question: '', answer, problem: '', solution: ''}, file: '', line: 1});
  const verdict = async (task: Task, output: string, answer: string) =>
    (await task.judge(row(answer), output, none, {strict: true})).verdict;

  // What the study's script (run-lora/utils/test_acc.py) says of these.
  it.each([
    ['The answer is: 7', '#### 7', true],
    ['#### 7', '#### 7', false],
    ['it is 7', '#### 7', false],
    ['The answer is: 5\nThe answer is: $7.4', '#### 7', true],
    ['The answer is: 1,234', '#### 1,234', true],
    ['The answer is: 1,234,567', '#### 1,234,567', false],
    ['The answer is: 1,000.50', '#### 1000', true],
    ['The answer is: 7/2', '#### 4', true],
    ['The answer is: 7/0', '#### 7', true],
    ['The answer is: /7', '#### 7', false],
    ['The answer is: .5', '#### 0', true],
    ['The answer is: 1.5.7', '#### 2', true],
    ['The answer is: unknown', '#### 7', false],
  ])('judges %j for %j as %j', async (output, answer, right) => {
    expect(await verdict(gsm8k, output, answer)).toBe(right);
  });

  it('judges as the script itself does, which has judged 300 answers to rows of GSM8K and MATH', async () => {
    const cases: {task: 'gsm8k' | 'math'; gold: string; said: string; right: boolean}[] = JSON.parse(
      readFileSync(join(fixtures, 'strict.json'), 'utf8'),
    );
    expect(cases).toHaveLength(300);
    const judged = await Promise.all(
      cases.map(async one => ({...one, found: await verdict(one.task === 'gsm8k' ? gsm8k : math, one.said, one.gold)})),
    );
    expect(judged.filter(({right, found}) => found !== right)).toEqual([]);
  });

  it('has the filters of lm-evaluation-harness beside it, which have judged 320 answers', () => {
    const rows = readFileSync(join(fixtures, 'gsm8k-80.jsonl'), 'utf8').split('\n').filter(Boolean);
    const answers = rows.map(line => (JSON.parse(line) as {answer: string}).answer);
    const cases: {row: number; said: string; 'strict-match': boolean; 'flexible-extract': boolean}[] = JSON.parse(
      readFileSync(join(fixtures, 'filters.json'), 'utf8'),
    );
    expect(cases).toHaveLength(320);
    const wrong = cases.filter(({row, said, ...expected}) => {
      const found = filtered(['strict-match', 'flexible-extract'], said, answers[row]!);
      return JSON.stringify(found) !== JSON.stringify(expected);
    });
    expect(wrong).toEqual([]);
  });

  it('takes no boxed answer for the marked one', async () => {
    expect(await verdict(math, 'so \\boxed{7}', '7')).toBe(false);
    expect(await verdict(math, 'The answer is: 7.\nmore', '7')).toBe(true);
  });
});

it('each filter is a metric beside the accuracy, of the same answers', async () => {
  const row = {values: {question: '', answer: 'so it is 8\n#### 8'}, file: '', line: 1};
  const filters = ['strict-match', 'flexible-extract'] as const;
  const said = ['#### 8', 'It is 8', '8, not 9', '#### 9'];
  const samples = await Promise.all(said.map(output => gsm8k.judge(row, output, none, {filters})));
  const told = metricsOf(samples, 4, {task: 'gsm8k', filters: [...filters]});
  expect(told.map(({metric, value, correct, total}) => [metric, value, correct, total])).toEqual([
    ['accuracy', 0.5, 2, 4],
    ['accuracy_strict_match', 0.25, 1, 4],
    ['accuracy_flexible_extract', 0.5, 2, 4],
  ]);
});

describe('MATH', () => {
  it('finds the answer of its own rows', async () => {
    expect(await rightOf(math, 'math500-first-60.jsonl')).toEqual({right: 60, rows: 60});
  });

  it('judges 200 pairs of answers as the reference does', () => {
    const pairs: {a: string; b: string; same: boolean}[] = JSON.parse(
      readFileSync(join(fixtures, 'math-pairs.json'), 'utf8'),
    );
    expect(pairs).toHaveLength(200);
    expect(pairs.filter(({a, b, same}) => sameAnswer(a, b) !== same)).toEqual([]);
  });

  it('takes what follows the mark, else the last box', () => {
    expect(answerIn('so The answer is: \\frac{1}{2}.\nand more')).toBe('\\frac{1}{2}');
    expect(answerIn('\\boxed{1} and \\boxed{\\frac{1}{2}}.')).toBe('\\frac{1}{2}');
    expect(boxedAnswer('\\fbox{7}')).toBe('7');
    expect(boxedAnswer('\\boxed{1')).toBeNull();
    expect(answerIn('no answer')).toBeNull();
  });
});

describe('pass@k', () => {
  it('is the share of samples for k = 1, and counts every choice of k', () => {
    expect(passAtK(5, 2, 1)).toBeCloseTo(2 / 5, 12);
    expect(passAtK(5, 2, 3)).toBeCloseTo(1 - 1 / 10, 12);
    expect(passAtK(200, 3, 100)).toBeCloseTo(1 - (100 * 99 * 98) / (200 * 199 * 198), 12);
    expect(passAtK(5, 0, 5)).toBe(0);
    expect(passAtK(5, 1, 5)).toBe(1);
  });

  it('is averaged over rows', () => {
    const samples = [true, false, false, false].map(verdict => ({verdict}));
    expect(metricsOf(samples, 2, {task: 'humaneval', k: [1, 2]})).toEqual([
      {task: 'humaneval', metric: 'pass@1', value: 0.25, correct: 1, total: 4},
      {task: 'humaneval', metric: 'pass@2', value: 0.5, correct: null, total: 2},
    ]);
  });
});

describe("a user's scorer", () => {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-scorer-'));
  afterAll(() => rmSync(folder, {recursive: true, force: true}));

  it('gives its verdict, and its faults are told in one sentence', async () => {
    const text = `export function score({row, output}) {
      if (output === 'throw') throw new Error('no such unit');
      if (output === 'text') return 'seven';
      return output === 'half' ? 0.5 : row.answer === output;
    }`;
    writeFileSync(join(folder, 'score.mjs'), text);
    const scorer = openScorer(join(folder, 'score.mjs'));
    expect(await scorer.score({answer: 'a'}, 'a')).toBe(true);
    expect(await scorer.score({answer: 'a'}, 'half')).toBe(0.5);
    await expect(scorer.score({}, 'throw')).rejects.toThrow('no such unit');
    await expect(scorer.score({}, 'text')).rejects.toThrow('gave seven');
    expect(await scorer.score({answer: 'a'}, 'b')).toBe(false);
    scorer.close();
  });
});
