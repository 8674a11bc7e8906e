/** A base model whose files know nothing of the mark that ends a turn of a chat, trained on chats. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {testFolder} from '../trainer/test-folder.ts';
import {commandIn} from './command.ts';
import {writeTinyModel} from './tiny-model.ts';

const folder = testFolder();
const command = commandIn(folder);

it('answers of a Qwen base that learns chats end with <|im_end|>, in the run, in eval and in generate', async () => {
  const [endOfText, endOfTurn] = [151643, 151645];
  const tokenizerConfig = {eos_token: '<|endoftext|>'};
  writeTinyModel(join(folder, 'base'), {tokenizer: 'qwen3', vocabSize: 151936, eos: endOfText, tokenizerConfig});
  const pairs = [
    ['Sky?', 'blue'],
    ['Grass?', 'green'],
    ['Coal?', 'black'],
    ['Snow?', 'white'],
    ['Blood?', 'red'],
    ['Lemon?', 'yellow'],
  ];
  const chats = pairs.map(([content, answer]) => ({
    messages: [
      {role: 'user', content},
      {role: 'assistant', content: answer},
    ],
  }));
  writeFileSync(join(folder, 'chats.jsonl'), `${chats.map(chat => JSON.stringify(chat)).join('\n')}\n`);
  writeFileSync(
    join(folder, 'chat.sweep.yaml'),
    `model: base
data: {train: chats.jsonl, format: messages}
methods: [lora]
rank: 16
batch_size: 6
learning_rate: 1e-2
training: {steps: 60, schedule: constant}
evaluate: {task: exact-match, data: chats.jsonl, max_new_tokens: 12}
run: {engine: compiled}
`,
  );
  const checked = await command('check', 'chat.sweep.yaml', '--json');
  const problems = JSON.parse(checked.out) as {code: string; severity: string; message: string}[];
  const [ends, ...others] = problems.filter(({code}) => code === 'model/end-of-text');
  expect(others).toEqual([]);
  expect(ends).toMatchObject({severity: 'warning'});
  expect(ends!.message).toContain('The training rows end with <|im_end|>');
  expect(ends!.message).toContain('config.json: <|endoftext|>');

  const run = await command('run', 'chat.sweep.yaml', '--out', 'run');
  expect(run.status, run.errors).toBe(0);
  const shown = await command('show', 'run', '--rows', 'evaluations', '--format', 'csv');
  expect(shown.out.trim().split('\n').at(-1)).toMatch(/,exact-match,accuracy,1,6,6/);
  const adapter = join('run', 'adapters', 'lora-r16-b6-lr1.00e-2-s1');
  const asked = ['--model', 'base', '--adapter', adapter];
  const scored = await command('eval', ...asked, '--task', 'exact-match', '--data', 'chats.jsonl', '--json');
  expect(JSON.parse(scored.out), scored.errors).toMatchObject({correct: 6, total: 6});
  const prompt = '<|im_start|>user\nSnow?<|im_end|>\n<|im_start|>assistant\n';
  const told = await command('generate', ...asked, '--prompt', prompt, '--max-new-tokens', '12', '--json');
  const {tokens, text} = JSON.parse(told.out.trim()) as {tokens: number[]; text: string};
  expect(tokens.at(-1)).toBe(endOfTurn);
  expect(text).toBe('<think>\n\n</think>\n\nwhite');
});
