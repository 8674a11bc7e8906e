import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Evaluated} from '../../../core/run/events.ts';
import {readAdapter, writeAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {type GenerateOptions, generateText} from '../../../trainer/ask/generate.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {type GoldenBatch, type GoldenRun, golden, goldenJson, goldenTensors} from '../golden.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const stories = fileURLToPath(new URL('../../fixtures/stories260K/', import.meta.url));

const folder = testFolder();

const ask = (arch: string, prompts: number[][], maxNewTokens: number, adapter?: string) =>
  generateText({
    model: golden(`models/${arch}`),
    prompts: prompts.map(tokens => ({tokens})),
    maxNewTokens,
    engine: 'auto',
    ...(adapter === undefined ? {} : {adapter}),
  });

it.each(['llama', 'qwen3', 'gemma3'])('%s by itself continues as in transformers', async arch => {
  const {runs, max_new_tokens} = goldenJson<{
    max_new_tokens: number;
    runs: {prompt_ids: number[]; eos_token_id: number; new_ids: number[]}[];
  }>(`generate/${arch}.json`);
  // The model's own end-of-sequence token; other runs declare another one.
  const own = runs.filter(run => run.eos_token_id === 2);
  const said = await ask(
    arch,
    own.map(run => run.prompt_ids),
    max_new_tokens,
  );
  expect(said).toEqual(own.map(({new_ids}) => ({tokens: new_ids, text: ''})));
});

/**
 * What a model says after every beginning of the forward batch, against the largest of the logits that PyTorch found for
 * the merged model there. Beginnings after which two logits are nearer than their tolerance may go either way.
 */
async function expectMergedModel(name: string, adapter: string): Promise<void> {
  const {arch, cases} = goldenJson<GoldenRun>(`train/${name}.json`);
  const {input_ids, attention_mask} = goldenJson<GoldenBatch>(`forward/${arch}.json`);
  const {data, shape} = goldenTensors(`train/${name}/merged_logits.safetensors`).get('high')!;
  const [, length, vocabulary] = shape as [number, number, number];
  const tolerance = 10 * cases['high']!.fp32_vs_f64.logits_max_abs_diff;
  const beginnings = input_ids.flatMap((row, i) =>
    row.flatMap((_, t) => {
      if (attention_mask[i]![t] !== 1) return [];
      const at = (i * length + t) * vocabulary;
      const logits = data.subarray(at, at + vocabulary);
      const [best = 0, second = 0] = logits.toSorted().reverse();
      return best - second > 2 * tolerance ? [{tokens: row.slice(0, t + 1), next: logits.indexOf(best)}] : [];
    }),
  );
  expect(beginnings.length).toBeGreaterThan(40);
  const prompts = beginnings.map(({tokens}) => tokens);
  const expected = beginnings.map(({next}) => [next]);
  const said = async (own?: string) => (await ask(arch, prompts, 1, own)).map(({tokens}) => tokens);
  expect(await said(adapter)).toEqual(expected);
  expect(await said()).not.toEqual(expected);
}

describe('with an adapter the merged model speaks', () => {
  const test = readFileSync(join(demo, 'desc-test.jsonl'), 'utf8')
    .split('\n', 64)
    .map(line => JSON.parse(line) as {prompt: string; answer: string});

  it.each(['llama-lora', 'llama-rslora', 'llama-dora', 'qwen3-lora', 'qwen3-dora', 'gemma3-lora', 'gemma3-dora'])(
    'PEFT: %s',
    name => expectMergedModel(name, golden(`train/${name}/high`)),
  );

  it.each([
    ['llama-pissa', 'pissa'],
    ['llama-milora', 'milora'],
    ['llama-initab', 'init-ab'],
    ['gemma3-pissa', 'pissa'],
  ])('ours, with its start: %s', async (name, method) => {
    const {factors, rank, alpha} = readAdapter(golden(`train/${name}/high`));
    const start = readAdapter(golden(`train/${name}/init`)).factors;
    const adapter = join(folder, name);
    writeAdapter(adapter, {base: {model: 'base', revision: null}, rank, alpha, factors, residual: {method, start}});
    await expectMergedModel(name, adapter);
  });

  it.each(['pissa', 'milora', 'init-ab', 'dora'])(
    'a trial of %s answers as it did in the evaluation at its end',
    async method => {
      const file = join(folder, `${method}.sweep.yaml`);
      writeFileSync(
        file,
        `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [${method}]
rank: 8
batch_size: 16
learning_rate: ${method === 'pissa' ? 2e-3 : 1e-2}
training: {steps: 80}
evaluate: {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 12, limit: ${test.length}}
`,
      );
      const evaluations: Evaluated[] = [];
      const out = `${file}.run`;
      const signal = new AbortController().signal;
      await runSweep(file, {
        out,
        only: [],
        resume: false,
        signal,
        onEvent: event => {
          if (event.event === 'evaluation') evaluations.push(event);
        },
      });
      const [{trial, correct}] = evaluations as [Evaluated];
      const answers = await generateText({
        model: join(demo, 'base'),
        adapter: join(out, 'adapters', trial),
        prompts: test.map(({prompt}) => ({text: prompt})),
        maxNewTokens: 12,
        engine: 'auto',
      });
      // Neither the base's score nor everything, so that the number says something.
      expect(correct).toBeGreaterThan(8);
      expect(correct).toBeLessThan(64);
      expect(answers.filter(({text}, i) => text === test[i]!.answer)).toHaveLength(correct!);
    },
  );
});

describe('an adapter is refused in one sentence', () => {
  const refusal = (adapter: string, arch = 'llama') => ask(arch, [[1, 5]], 1, adapter);

  it("when PEFT changed its base: only PEFT's own file says how", async () => {
    await expect(refusal(golden('train/llama-pissa/high'))).rejects.toThrow(
      /belongs to a base that pissa changed.*convert it to a plain LoRA/,
    );
  });

  it('when its start is gone', async () => {
    const {factors, rank, alpha} = readAdapter(golden('train/llama-milora/high'));
    const adapter = join(folder, 'startless');
    writeAdapter(adapter, {
      base: {model: 'b', revision: null},
      rank,
      alpha,
      factors,
      residual: {method: 'milora', start: factors},
    });
    rmSync(join(adapter, 'start.safetensors'));
    await expect(refusal(adapter)).rejects.toThrow(/a base that milora changed/);
  });

  it('when it was trained on another model', async () => {
    await expect(refusal(golden('train/qwen3-lora/high'))).rejects.toThrow(
      /down_proj.*take the model it was trained on/,
    );
    const {factors, rank, alpha} = readAdapter(golden('train/llama-lora/high'));
    const deeper = new Map([...factors].map(([path, own]) => [path.replace('layers.0', 'layers.7'), own]));
    writeAdapter(join(folder, 'deeper'), {base: {model: 'b', revision: null}, rank, alpha, factors: deeper});
    await expect(refusal(join(folder, 'deeper'))).rejects.toThrow(/model\.layers\.7.*no projection of this model/);
  });

  it('when there is none', async () => {
    await expect(refusal(join(folder, 'nowhere'))).rejects.toThrow(/no adapter in .*nowhere/);
  });
});

describe('texts are drawn', () => {
  const prompt = 'Once';
  const draw = (options: Partial<GenerateOptions>) =>
    generateText({model: stories, prompts: [{text: prompt}], maxNewTokens: 24, engine: 'auto', ...options});

  it('as often as asked for, and the same ones with the same seed', async () => {
    const drawn = await draw({samples: 3, temperature: 0.8, topP: 0.9, topK: 40, seed: 7});
    expect(new Set(drawn.map(({text}) => text)).size).toBe(3);
    expect(await draw({samples: 3, temperature: 0.8, topP: 0.9, topK: 40, seed: 7})).toEqual(drawn);
    expect(await draw({samples: 3, temperature: 0.8, topP: 0.9, topK: 40, seed: 8})).not.toEqual(drawn);
  });

  it('and end before a stop string, as greedy ones do', async () => {
    const [whole] = await draw({});
    const stop = whole!.text.slice(10, 13);
    const [cut] = await draw({stop: [stop]});
    expect(cut!.text).toBe(whole!.text.slice(0, whole!.text.indexOf(stop)));
    expect(cut!.tokens).toEqual(whole!.tokens.slice(0, cut!.tokens.length));
    expect(cut!.tokens.length).toBeLessThan(whole!.tokens.length);
    const [cutBoth] = await draw({stop: ['no such text', stop]});
    expect(cutBoth).toEqual(cut);
  });

  it('unless all samples would be the same', async () => {
    await expect(draw({samples: 2, temperature: 0})).rejects.toThrow(/All samples.*temperature 0/);
  });
});

describe('prompts', () => {
  it('outside the vocabulary or empty are refused', async () => {
    await expect(ask('llama', [[1, 100_000]], 1)).rejects.toThrow(/Token 100000.*vocabulary/);
    await expect(ask('llama', [[1], []], 1)).rejects.toThrow(/empty/);
  });

  it('of text need a tokenizer', async () => {
    const model = join(folder, 'wordless');
    cpSync(golden('models/llama'), model, {recursive: true});
    await expect(generateText({model, prompts: [{text: 'once'}], maxNewTokens: 1, engine: 'auto'})).rejects.toThrow(
      /tokenizer/,
    );
  });
});
