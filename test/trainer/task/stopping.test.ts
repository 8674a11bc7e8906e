import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {compare, title} from '../../../core/run/verdict.ts';
import type {Choosing} from '../../../trainer/generation/generation.ts';
import {textBefore} from '../../../trainer/generation/stopping.ts';
import {openModel} from '../../../trainer/model/open-model.ts';
import {openPool} from '../../../trainer/run/pool.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {readRun} from '../../../trainer/store/run.ts';
import {readSamples} from '../../../trainer/store/samples.ts';
import {stopsOf} from '../../../trainer/task/tasks.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const stories = fileURLToPath(new URL('../../fixtures/stories260K', import.meta.url));

const folder = testFolder();

it("a worker's evaluation generates no further than the tokens of a stop string", async () => {
  const base = await openModel(stories);
  const tokenizer = openTokenizer(stories);
  const prompts = ['Once', 'The little dog'].map(text => Int32Array.from(tokenizer.encode(text, {special: true})));
  const pool = openPool(1, {base, engine: 'compiled', threads: 1});
  const said = async (choosing: Choosing): Promise<number[][]> => {
    let answers: number[][] = [];
    const evaluation = {
      index: 0,
      task: 'generate',
      prompts,
      maxNewTokens: 24,
      eosIds: base.config.eosIds,
      choosing,
    } as const;
    await pool.run([{kind: 'evaluate', evaluation}], {
      event: () => {},
      generated: result => {
        answers = result.answers;
      },
      ended: (_, failure) => expect(failure).toBeUndefined(),
    });
    return answers;
  };
  const text = (ids: number[]) => tokenizer.decode(ids, {skipSpecial: true});
  const whole = await said({});
  const stop = text(whole[0]!).slice(10, 13);
  const cut = await said({stop: [stop]});
  expect(cut[0]!.length).toBeLessThan(whole[0]!.length);
  for (const [i, ids] of cut.entries()) {
    expect(ids).toEqual(whole[i]!.slice(0, ids.length));
    // Nothing but the last token completes the stop string.
    expect(text(ids.slice(0, -1))).not.toContain(stop);
    if (ids.length < 24) expect(text(ids)).toContain(stop);
  }
  await pool.close();
});

it("a sweep's answers end before its stop strings, and are judged so", async () => {
  const stop = ['b', 'zz'];
  writeFileSync(
    join(folder, 's.sweep.yaml'),
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora]
rank: 4
batch_size: 8
learning_rate: 1e-3
training: {steps: 2}
evaluate:
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 10, limit: 32}
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 10, limit: 32, stop: ${JSON.stringify(stop)}}
  - {task: loss, data: ${demo}desc-train.jsonl, limit: 8}
  - {task: loss, data: ${demo}desc-test.jsonl, limit: 8}
`,
  );
  const {signal} = new AbortController();
  const out = join(folder, 'run');
  await runSweep(join(folder, 's.sweep.yaml'), {out, only: [], resume: false, signal, onEvent: () => {}});
  const [whole, cut] = [...readSamples(out, ['lora-r4-b8-lr1.00e-3-s1'])];
  const answers = whole!.rows.map(({output}) => String(output));
  expect(answers.some(answer => answer.includes('b'))).toBe(true);
  expect(cut!.rows.map(({output}) => output)).toEqual(answers.map(answer => textBefore(answer, stop)));
  expect(cut!.rows.map(({verdict}) => verdict)).toEqual(cut!.rows.map(({output, expected}) => output === expected));

  // Entries of one task are told apart, and nowhere taken for one.
  const {state} = await readRun(out);
  const names = ['loss on desc-train.jsonl', 'loss on desc-test.jsonl'];
  for (const number of [1, 2]) names.push(`exact-match on desc-test.jsonl, ${number}`);
  expect(state.trials[0]!.evaluations.map(({task}) => task).sort()).toEqual(names.sort());
  const headings = compare(state).map(title);
  expect(headings).toContain('loss on desc-train.jsonl, rank 4, batch size 8');
  expect(headings).toContain('exact-match on desc-test.jsonl, 2 accuracy, rank 4, batch size 8');
});

it('programs end at the mark that closes an answer, beside what the sweep file says', () => {
  expect(stopsOf({task: 'mbpp'})).toEqual(['[DONE]']);
  expect(stopsOf({task: 'humaneval', stop: ['\n\n\n', '[DONE]']})).toEqual(['\n\n\n', '[DONE]']);
  expect(stopsOf({task: 'gsm8k'})).toEqual([]);
});
