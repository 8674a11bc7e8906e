import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {adaptedModel} from '../../trainer/adapted.ts';
import {openEngine} from '../../trainer/engine/choose.ts';
import {Programs} from '../../trainer/engine/programs.ts';
import {openCache, readTexts} from '../../trainer/model/decoding.ts';
import {type Generative, generate} from '../../trainer/model/generation.ts';
import {openModel} from '../../trainer/model/open-model.ts';
import {openTokenizer} from '../../trainer/model/tokenizer.ts';
import {output, python} from '../bench/python.ts';
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
let reference: {ids: number[][]; gaps: number[][]};
let logits: Float32Array;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-generation-'));
  const model = await openModel(await smollm2());
  const tokenizer = openTokenizer(model.folder);
  prompts = texts.map(text => tokenizer.encode(text, {special: true}));
  programs = new Programs(await openEngine('compiled', {threads: availableParallelism()}));
  generative = await (await adaptedModel(programs, model)).generative();
  const question = join(home, 'question.json');
  const file = join(home, 'logits');
  writeFileSync(question, JSON.stringify({model: model.folder, prompts, newTokens, logits: file}));
  const script = join(import.meta.dirname, 'generation-reference.py');
  reference = JSON.parse(await output(await python(), [script, question])) as typeof reference;
  const bytes = readFileSync(file);
  logits = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
});
afterAll(async () => {
  await programs.engine.dispose();
  rmSync(home, {recursive: true, force: true});
});

it('twenty prompts in one batch continue as each alone in transformers', async () => {
  const [answers] = await generate(programs, generative, prompts, {maxNewTokens: newTokens, eosIds: []});
  prompts.forEach((_, i) => {
    const differs = reference.ids[i]!.findIndex((id, step) => answers![i]![step] !== id);
    if (differs >= 0)
      expect(
        reference.gaps[i]![differs],
        `prompt ${i} differs from token ${differs} on, where there is no tie`,
      ).toBeLessThan(tie);
  });
});

it('logits agree with those of transformers, read and added token by token', async () => {
  const {vocabSize} = generative.config;
  for (const i of [2, 5, 19]) {
    const prompt = prompts[i]!;
    const ids = reference.ids[i]!;
    const place = {rows: 1, room: prompt.length + newTokens, reach: 1024};
    const cache = openCache(programs, generative, place);
    const read = await readTexts(programs, generative, [prompt], {rows: 1, length: prompt.length, beyond: false});
    await cache.take(read, [{from: 0, to: 0, length: prompt.length}]);
    let found = read.logits;
    for (let step = 0; step < newTokens; step++) {
      const at = (i * newTokens + step) * vocabSize;
      const expected = logits.subarray(at, at + vocabSize);
      let difference = 0;
      let size = 0;
      expected.forEach((value, id) => {
        difference = Math.max(difference, Math.abs(found[id]! - value));
        size = Math.max(size, Math.abs(value));
      });
      expect(difference / size).toBeLessThan(2e-3);
      found = await cache.add(Int32Array.of(ids[step]!), Int32Array.of(prompt.length + step), [false]);
    }
    cache.dispose();
  }
});
