/** Solutions that are right are judged right, whatever the tokenizer and the shape of the answer. All: npm run test:tasks. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, it} from 'vitest';
import type {Row} from '../../trainer/data/read/row.ts';
import {readRows} from '../../trainer/data/read/rows.ts';
import {humaneval, mbpp} from '../../trainer/task/code.ts';
import {openProgramFinder} from '../../trainer/task/programs.ts';
import {openSandbox} from '../../trainer/task/sandbox/sandbox.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {answersOf, saidBy, wrongOf} from './answered.ts';
import {modelFolder, published} from './published.ts';

const fixtures = fileURLToPath(new URL('../fixtures/tasks/', import.meta.url));
const tokenizers = published.map(name => openTokenizer(modelFolder(name)));

async function rowsOf(file: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows([join(fixtures, file)])) rows.push(row);
  return rows;
}

const [sandbox, programs] = [openSandbox(), openProgramFinder()];
afterAll(() => {
  sandbox.close();
  programs.close();
});

it('answers come back from each tokenizer as they were, but for a space that Llama 2 puts before', async () => {
  const rows = await rowsOf('humaneval-first-20.jsonl');
  for (const answered of rows.slice(0, 6).flatMap(row => answersOf(humaneval, row)))
    for (const [i, tokenizer] of tokenizers.entries())
      for (const text of saidBy(tokenizer, answered))
        expect([answered.answer, ...(published[i] === 'llama2' ? [` ${answered.answer}`] : [])]).toContain(text);
});

it('solutions of HumanEval and MBPP are right in every shape, from every tokenizer', async () => {
  const solved = await rowsOf('humaneval-first-20.jsonl');
  const some = [
    ...[solved[1]!, solved[10]!].flatMap(row => answersOf(humaneval, row)),
    ...(await rowsOf('mbpp-17.jsonl')).slice(0, 1).flatMap(row => answersOf(mbpp, row)),
  ];
  const tools = {sandbox: () => sandbox, programs: () => programs, scorer: () => expect.unreachable()};
  const {wrong, judged} = await wrongOf(some, tokenizers, tools);
  expect(wrong).toEqual([]);
  expect(judged).toBeGreaterThan(some.length);
}, 900_000);
