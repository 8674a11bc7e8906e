import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {openEngine} from '../../trainer/engine/choose.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import {openCache, readTexts} from '../../trainer/generation/decoding.ts';
import {type Generative, generate} from '../../trainer/generation/generation.ts';
import {likeliest} from '../../trainer/generation/sampling.ts';
import {openModel} from '../../trainer/model/open-model.ts';
import {openTokenizer} from '../../trainer/text/tokenizer.ts';
import {adaptedModel} from '../../trainer/training/adapted-model.ts';
import {output, python} from '../bench/peers/python.ts';
import {smollm2} from '../bench/smollm2.ts';

/** Two logits nearer than this may change places by the order of summation. */
const tie = 1e-3;
const newTokens = 32;
const texts = [
  'The capital of France is',
  'Once upon a time, there was a little girl who',
  'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n',
  'Water boils at',
  'The three most important things in cooking are',
  'Question: Natalia sold clips to 48 of her friends in April, and half as many in May. How many clips did she sell?\nAnswer:',
  'Dear Sir or Madam,\n\n',
  '<|im_start|>user\nWrite a haiku about the sea.<|im_end|>\n<|im_start|>assistant\n',
  '<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n',
  '1, 1, 2, 3, 5, 8, 13,',
  'In 1969, the first humans',
  'import numpy as np\n\n',
  'A short list of European rivers:\n1.',
  'Photosynthesis is the process by which',
  'The',
  'SELECT name, age FROM',
  'If it rains tomorrow, we will',
  'The mitochondria is',
  'To be, or not to be, that is',
  `${'All work and no play makes Jack a dull boy. '.repeat(12)}All work`,
];

let home: string;
let programs: Programs;
let generative: Generative;
let prompts: number[][];
let answers: number[][];
let logits: Float32Array;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-generation-'));
  const model = await openModel(await smollm2());
  const tokenizer = openTokenizer(model.folder);
  prompts = texts.map(text => tokenizer.encode(text, {special: true}));
  programs = new Programs(await openEngine('compiled', {threads: availableParallelism()}));
  generative = await (await adaptedModel(programs, model)).generative();
  [answers] = (await generate(programs, generative, prompts, {maxNewTokens: newTokens, eosIds: []})) as [number[][]];
  const question = join(home, 'question.json');
  const file = join(home, 'logits');
  const asked = {
    model: model.folder,
    texts: prompts.map((prompt, i) => [...prompt, ...answers[i]!]),
    from: prompts.map(({length}) => length - 1),
    logits: file,
  };
  writeFileSync(question, JSON.stringify(asked));
  await output(await python(), [join(import.meta.dirname, 'generation-reference.py'), question]);
  const bytes = readFileSync(file);
  logits = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
});
afterAll(async () => {
  await programs.engine.dispose();
  rmSync(home, {recursive: true, force: true});
});

/** What transformers chooses the token of a step from, after the same text. */
function expectedLogits(prompt: number, step: number): Float32Array {
  const {vocabSize} = generative.config;
  const at = (prompt * newTokens + step) * vocabSize;
  return logits.subarray(at, at + vocabSize);
}

it('twenty prompts in one batch continue as each alone in transformers', () => {
  let ties = 0;
  answers.forEach((ids, i) => {
    expect(ids).toHaveLength(newTokens);
    ids.forEach((id, step) => {
      const expected = expectedLogits(i, step);
      const best = likeliest(expected);
      if (best === id) return;
      ties++;
      expect(expected[best]! - expected[id]!, `prompt ${i}, token ${step}`).toBeLessThan(tie);
    });
  });
  console.log(
    `${ties} of ${prompts.length * newTokens} tokens are another one of two whose logits differ by less than ${tie}`,
  );
});

it('logits agree with those of transformers, read and added token by token', async () => {
  let largest = 0;
  for (const i of [2, 5, 19]) {
    const prompt = prompts[i]!;
    const cache = openCache(programs, generative, {rows: 1, room: prompt.length + newTokens, reach: 1024});
    const read = await readTexts(programs, generative, [prompt], {rows: 1, length: prompt.length, beyond: false});
    await cache.take(read, [{from: 0, to: 0, length: prompt.length}]);
    let found = read.logits;
    for (let step = 0; step < newTokens; step++) {
      let difference = 0;
      let size = 0;
      expectedLogits(i, step).forEach((value, id) => {
        difference = Math.max(difference, Math.abs(found[id]! - value));
        size = Math.max(size, Math.abs(value));
      });
      largest = Math.max(largest, difference / size);
      const position = Int32Array.of(prompt.length + step);
      found = (await cache.add(Int32Array.of(answers[i]![step]!), position, [false])).logits;
    }
    cache.dispose();
  }
  console.log(`largest difference of logits: ${largest.toExponential(1)} of the largest logit`);
  expect(largest).toBeLessThan(2e-3);
});
