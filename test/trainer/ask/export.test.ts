import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {exportTrial} from '../../../trainer/ask/export.ts';
import {generateText} from '../../../trainer/ask/generate.ts';
import {writeReport} from '../../../trainer/results/report.ts';
import {verdictOf, verifyRun} from '../../../trainer/results/verify.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {readHeader} from '../../../trainer/weights/safetensors.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const methods = ['lora', 'pissa', 'milora', 'init-ab', 'dora', 'rslora', 'olora'];

let home: string;
let run: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'export-'));
  process.env['LORA_SWEEP_CACHE'] = join(home, 'cache');
  run = join(home, 'run');
  const file = join(home, 'all.sweep.yaml');
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [${methods.join(', ')}]
rank: 4
batch_size: 16
learning_rate: [2e-3]
seeds: [1]
training: {steps: 12}
evaluate: [{task: loss, data: ${demo}desc-test.jsonl, limit: 64}]
`,
  );
  const end = await runSweep(file, {
    out: run,
    only: [],
    resume: false,
    signal: new AbortController().signal,
    onEvent: () => {},
  });
  expect(end).toBe('finished');
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

const idOf = (method: string): string => `${method}-r4-b16-lr2.00e-3-s1`;
const prompts = [{text: 'sort 3 1 2'}, {text: 'reverse a b c'}];

/** Loss on the test rows, to many digits. */
async function lossOf(model: string, adapter?: string): Promise<number> {
  const {scores} = await evaluateModel({
    model,
    ...(adapter === undefined ? {} : {adapter}),
    task: 'loss',
    data: `${demo}desc-test.jsonl`,
    format: 'completion',
    columns: {prompt: 'prompt', completion: 'answer'},
    limit: 64,
    engine: 'auto',
  });
  return scores[0]!.value!;
}

describe.each(methods)('a trial of %s', method => {
  it('becomes a plain adapter of the unchanged base that computes the same', async () => {
    const out = join(home, `${method}-adapter`);
    await exportTrial({folder: run, trial: idOf(method), to: 'adapter', out});
    const own = await lossOf(`${demo}base`, join(run, 'adapters', idOf(method)));
    const exported = await lossOf(`${demo}base`, out);
    expect(Math.abs(exported - own)).toBeLessThan(1e-5);
    expect(Math.abs(exported - (await lossOf(`${demo}base`)))).toBeGreaterThan(1e-3);
    const {residualOf, start, rank} = readAdapter(out);
    expect({residualOf, start}).toEqual({residualOf: null, start: null});
    expect(rank).toBe(['pissa', 'milora', 'init-ab', 'olora'].includes(method) ? 8 : 4);
  });

  it('is merged into a model folder that computes the same', async () => {
    const out = join(home, `${method}-merged`);
    await exportTrial({folder: run, trial: idOf(method), to: 'merged', out});
    const own = await lossOf(`${demo}base`, join(run, 'adapters', idOf(method)));
    // Weights are stored as the base's are.
    expect(Math.abs((await lossOf(out)) - own)).toBeLessThan(1e-5);
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain(`method ${method}, rank 4`);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
    const [before, after] = await Promise.all([
      generateText({
        model: `${demo}base`,
        adapter: join(run, 'adapters', idOf(method)),
        prompts,
        maxNewTokens: 8,
        engine: 'auto',
      }),
      generateText({model: out, prompts, maxNewTokens: 8, engine: 'auto'}),
    ]);
    expect(after).toEqual(before);
  });
});

// As vLLM checks an adapter (vllm/lora/peft_helper.py): no bias, no further modules, no DoRA, a rank within its buffers.
it.each(['lora', 'pissa', 'rslora'])('a trial of %s leaves a plain LoRA that vLLM takes', async method => {
  const out = join(home, `${method}-served`);
  await exportTrial({folder: run, trial: idOf(method), to: 'adapter', out});
  const config = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({peft_type: 'LORA', bias: 'none', modules_to_save: null, use_dora: false});
  expect(Number.isInteger(config.r) && config.r <= 512).toBe(true);
  expect(config.lora_alpha).toBeGreaterThan(0);
  const projections = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  expect(config.target_modules.toSorted()).toEqual(projections.toSorted());
  const names = [...readHeader(join(out, 'adapter_model.safetensors')).tensors.keys()];
  const pattern = /^base_model\.model\.model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.lora_[AB]\.weight$/;
  expect(names.filter(name => !pattern.test(name))).toEqual([]);
});

describe('the record of the run', () => {
  it('holds while nothing changes, and names what does', async () => {
    const {holds, checks} = await verifyRun(run);
    expect(checks.filter(({state}) => state !== 'same')).toEqual([]);
    expect(holds).toBe(true);
    const kinds = new Set(checks.map(({what}) => what));
    expect([...kinds]).toEqual(['weights', 'model file', 'data', 'settings', 'sweep file', 'adapter']);
    const copy = join(home, 'copy');
    cpSync(run, copy, {recursive: true});
    const tensors = join(copy, 'adapters', idOf('lora'), 'adapter_model.safetensors');
    appendFileSync(tensors, ' ');
    rmSync(join(copy, 'adapters', idOf('dora')), {recursive: true});
    const again = await verifyRun(copy);
    expect(again.holds).toBe(false);
    expect(verdictOf(again)).toEqual([
      `adapter ${join(copy, 'adapters', idOf('lora'))}: changed`,
      `adapter ${join(copy, 'adapters', idOf('dora'))}: missing`,
      `The record does not hold: 2 of ${checks.length} hashes differ.`,
    ]);
  });

  it('ends the report', async () => {
    const {summary} = await writeReport(run, join(home, 'report.html'));
    expect(summary).toMatch(/## Record\n\n- model: .*SHA-256 [0-9a-f]{64}/);
    expect(summary).toContain('- again: `lora-sweep run all.sweep.yaml --out NEW_FOLDER`');
  });
});

describe('export', () => {
  it('finds the best trial', async () => {
    const out = join(home, 'best');
    const sentence = await exportTrial({folder: run, best: 'loss', to: 'adapter', out});
    const losses = await Promise.all(methods.map(method => lossOf(`${demo}base`, join(run, 'adapters', idOf(method)))));
    const best = methods[losses.indexOf(Math.min(...losses))]!;
    expect(sentence).toContain(idOf(best));
  });

  it('refuses what it cannot do in one sentence, and leaves nothing behind', async () => {
    const out = join(home, 'none');
    await expect(exportTrial({folder: run, trial: 'lora-r8', to: 'adapter', out})).rejects.toThrow(
      'has no trial lora-r8',
    );
    await expect(exportTrial({folder: run, best: 'gsm8k', to: 'adapter', out})).rejects.toThrow(
      'the metric or task gsm8k',
    );
    await expect(exportTrial({folder: run, trial: idOf('lora'), to: 'merged', out: demo})).rejects.toThrow(
      'already holds',
    );
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(home).filter(name => name.endsWith('.tmp'))).toEqual([]);
  });
});
