import {cpSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Inspector} from '../../../core/sweep/inspection.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {completion} from '../../../server/completion.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {checkSweeps} from '../../../trainer/inspect/check.ts';
import {openModel} from '../../../trainer/model/open-model.ts';
import {readEvaluation} from '../../../trainer/run/evaluating/evaluations.ts';
import {readPrompts} from '../../../trainer/task/prompts.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {documentOf, marked} from '../../server/marked.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();
const rows = readFileSync(join(demo, 'desc-test.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .slice(0, 12)
  .map(line => JSON.parse(line) as {prompt: string; answer: string});

beforeAll(() => {
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  const write = (name: string, list: unknown[]) =>
    writeFileSync(join(folder, name), list.map(row => `${JSON.stringify(row)}\n`).join(''));
  write('a.jsonl', rows);
  write(
    'b.jsonl',
    rows.map(({prompt, answer}) => ({asked: prompt, target: answer, prompt: 'x', answer: 'y'})),
  );
  write('sums.jsonl', [{query: 'a', gold: '#### 3'}]);
});

const file = (evaluate: string, data = '{train: a.jsonl, format: completion, columns: {completion: answer}}') =>
  `model: base\ndata: ${data}\nmethods: [lora]\nlearning_rate: 1e-3\nrank: 4\ntraining: {steps: 2}\nevaluate: ${evaluate}\n`;
const errorsOf = (text: string) =>
  readSweep(text).problems.flatMap(({severity, code, path, message}) =>
    severity === 'error' ? [`${code} ${path.join('.')}: ${message}`] : [],
  );
const named = '{prompt: asked, completion: target}';

describe('columns of an evaluation', () => {
  it('are part of what the evaluation is; one that names none has none', () => {
    const read = (text: string) => readSweep(text).sweep!.evaluate[0]!;
    expect(read(file(`{task: exact-match, data: b.jsonl, columns: ${named}}`))).toMatchObject({
      columns: {prompt: 'asked', completion: 'target'},
    });
    for (const columns of ['', ', columns: {}']) {
      expect(read(file(`{task: exact-match, data: b.jsonl${columns}}`))).not.toHaveProperty('columns');
    }
  });

  it.each([
    ['{task: loss, data: b.jsonl, columns: {prmpt: a}}', 'unknown-key evaluate.columns.prmpt', /Did you mean 'prompt'/],
    [
      '{task: loss, data: b.jsonl, columns: {output: a}}',
      'unknown-key evaluate.columns.output',
      /Format completion has no column/,
    ],
    [
      '[{task: gsm8k, data: b.jsonl, columns: {problem: a}}]',
      'unknown-key evaluate.0.columns.problem',
      /gsm8k has no column 'problem': it has question, answer/,
    ],
    [
      '{task: humaneval, data: b.jsonl, columns: {prompt: a}}',
      'unknown-key evaluate.columns.prompt',
      /read as published/,
    ],
    ['{task: custom, scorer: s.mjs, data: b.jsonl, columns: {prompt: a}}', '', /^$/],
    [
      '[{task: custom, scorer: s.mjs, data: b.jsonl, columns: {question: a}}]',
      'evaluate.0.columns.question',
      /Format completion/,
    ],
  ])('%s', (evaluate, where, what) => {
    const [first = ''] = errorsOf(file(evaluate));
    expect(first).toContain(where);
    expect(first).toMatch(what);
  });

  it('are those that are read: the prompts and answers of a file with other names are the same', async () => {
    const model = await openModel(join(folder, 'base'));
    const encoding = {config: model.config, tokenizer: openTokenizer(model.folder)};
    const {sweep} = readSweep(
      file(`[{task: exact-match, data: b.jsonl, columns: ${named}}, {task: loss, data: b.jsonl, columns: ${named}}]`),
    );
    const read = (data: string, columns?: Record<string, string>) =>
      readPrompts({data, ...(columns && {columns})}, sweep!.data, folder, encoding);
    const plain = await read('a.jsonl');
    expect(plain[0]!.answer).toBe(rows[0]!.answer);
    expect(await read('b.jsonl', {prompt: 'asked', completion: 'target'})).toEqual(plain);
    expect(await read('b.jsonl', {completion: 'target'})).not.toEqual(plain);
    const ends = {ids: [2], texts: []};
    const losses = await Promise.all(
      ['a.jsonl', 'b.jsonl'].map(data => {
        const {columns: own, ...rest} = sweep!.evaluate[1]!;
        const settings = {...rest, data, ...(data === 'b.jsonl' && own ? {columns: own} : {})};
        return readEvaluation(settings, 1, sweep!.data, folder, encoding, {ends});
      }),
    );
    const ids = losses.map(({evaluation}) => evaluation.task === 'loss' && [...evaluation.source.dataset.ids]);
    expect(ids[1]).toEqual(ids[0]);
  });

  it('of a task of its own stand under the names that the task has', async () => {
    const model = await openModel(join(folder, 'base'));
    const encoding = {config: model.config, tokenizer: openTokenizer(model.folder)};
    const {sweep} = readSweep(file('{task: gsm8k, data: sums.jsonl, columns: {question: query, answer: gold}}'));
    const [prompt] = await readPrompts(sweep!.evaluate[0]!, sweep!.data, folder, encoding);
    expect(prompt).toMatchObject({answer: '#### 3', row: {values: {question: 'a', answer: '#### 3'}}});
  });

  it('that are not there are named where they stand, with the nearest one that is', async () => {
    const path = join(folder, 'a.sweep.yaml');
    writeFileSync(path, file('{task: exact-match, data: b.jsonl, columns: {prompt: asked, completion: targt}}'));
    const {problems} = (await checkSweeps([path])).checks[0]!;
    expect(problems.filter(({severity}) => severity === 'error')).toMatchObject([
      {
        code: 'data/missing-column',
        path: ['evaluate', 0, 'columns', 'completion'],
        message: expect.stringContaining('there is no column "targt"'),
        fixes: [{edits: [{text: 'target'}]}],
      },
    ]);
  });

  it('are completed from the evaluation’s own file', async () => {
    const {text, position} = marked(file('{task: loss, data: b.jsonl, columns: {prompt: ▮}}'));
    const asked: string[] = [];
    const inspector: Inspector = {
      inspect: async () => ({faults: [], model: null, data: null, cost: null, results: null}),
      model: async () => null,
      candidates: async () => [],
      sweepFiles: async () => [],
      columns: async name => {
        asked.push(name);
        return ['asked', 'target'];
      },
    };
    const items = await completion(documentOf(text, 'file:///x/a.sweep.yaml'), position, inspector);
    expect(asked).toEqual(['b.jsonl']);
    expect(items.map(({label}) => label)).toEqual(expect.arrayContaining(['asked', 'target']));
  });

  it('can be given on the command line', async () => {
    const options = {model: join(folder, 'base'), engine: 'compiled', format: 'completion'} as const;
    const score = async (data: string, columns: Record<string, string>) =>
      (await evaluateModel({...options, task: 'loss', data: join(folder, data), columns})).scores[0]!.value!;
    const plain = await score('a.jsonl', {completion: 'answer'});
    expect(await score('b.jsonl', {prompt: 'asked', completion: 'target'})).toBe(plain);
    const {scores} = await evaluateModel({
      ...options,
      task: 'gsm8k',
      data: join(folder, 'sums.jsonl'),
      columns: {question: 'query', answer: 'gold'},
      maxNewTokens: 4,
    });
    expect(scores[0]).toMatchObject({task: 'gsm8k', total: 1});
  });
});
