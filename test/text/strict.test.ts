/** The study's own rule through the command, on answers that a model gives. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {testFolder} from '../trainer/test-folder.ts';
import {commandIn} from './command.ts';
import {writeTinyModel} from './tiny-model.ts';

const folder = testFolder();
const command = commandIn(folder);

// What a model has learnt to answer; the rows' own answers; what the study's script says of it, and the rule without `strict`.
const learnt = [
  {question: 'Ant?', said: 'The answer is: 7', answer: '#### 7', strict: true, usual: true},
  {question: 'Bee?', said: '#### 7', answer: '#### 7', strict: false, usual: true},
  {question: 'Cat?', said: 'It is 7', answer: '#### 7', strict: false, usual: true},
  {question: 'Dog?', said: 'The answer is: 1,234,567', answer: '#### 1,234,567', strict: false, usual: true},
  {question: 'Elk?', said: 'The answer is: 9', answer: '#### 7', strict: false, usual: false},
  {question: 'Fox?', said: 'The answer is: $6.6', answer: '#### 7', strict: true, usual: true},
];

it('judges each answer as the script does with strict, and as usual without, in eval and in a run', async () => {
  writeTinyModel(join(folder, 'base'), {tokenizer: 'llama2', vocabSize: 32000, eos: 2});
  const lines = (rows: object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'train.jsonl'), lines(learnt.map(({question, said}) => ({question, answer: said}))));
  writeFileSync(join(folder, 'test.jsonl'), lines(learnt.map(({question, answer}) => ({question, answer}))));
  const data = '{train: train.jsonl, format: instruction, columns: {instruction: question, output: answer}}';
  writeFileSync(
    join(folder, 's.sweep.yaml'),
    `model: base
data: ${data}
methods: [lora]
rank: 16
batch_size: 6
learning_rate: 1e-2
training: {steps: 80, schedule: constant}
evaluate:
  - {task: gsm8k, data: test.jsonl, max_new_tokens: 24, strict: true}
run: {engine: compiled}
`,
  );
  const run = await command('run', 's.sweep.yaml', '--out', 'run');
  expect(run.status, run.errors).toBe(0);
  const shown = await command('show', 'run', '--rows', 'evaluations', '--format', 'csv');
  expect(shown.out.trim().split('\n').at(-1)).toMatch(/,gsm8k,accuracy,0\.333\d*,2,6/);

  const adapter = join('run', 'adapters', 'lora-r16-b6-lr1.00e-2-s1');
  const asked = ['--model', 'base', '--adapter', adapter, '--task', 'gsm8k', '--data', 'test.jsonl'];
  for (const rule of ['strict', 'usual'] as const) {
    const scored = await command('eval', ...asked, '--out', rule, '--json', ...(rule === 'strict' ? ['--strict'] : []));
    expect(scored.status, scored.errors).toBe(0);
    const [file] = readdirSync(join(folder, rule), {recursive: true, encoding: 'utf8'}).filter(name =>
      name.endsWith('.jsonl'),
    );
    const samples = readFileSync(join(folder, rule, file!), 'utf8')
      .trim()
      .split('\n');
    const found = samples.map(line => JSON.parse(line) as {row: number; output: string; verdict: boolean});
    expect(found.map(({row, output, verdict}) => [row, output.trim(), verdict])).toEqual(
      learnt.map((one, row) => [row, one.said, one[rule]]),
    );
  }
});
