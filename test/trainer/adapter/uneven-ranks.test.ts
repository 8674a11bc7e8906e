/** EVA with rho: what is trained, probed, written and read where projections have ranks of their own. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Probed, RunEvent} from '../../../core/run/events.ts';
import {inUse, pairsInUse, withoutUnused} from '../../../trainer/adaptation/pairs-in-use.ts';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {exportTrial} from '../../../trainer/ask/export.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {readHeader} from '../../../trainer/weights/safetensors.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const home = testFolder();
const run = join(home, 'run');
const id = 'eva-r4-b16-lr1.00e-2-s1';
const adapter = join(run, 'adapters', id);
const rank = 4;

const events: RunEvent[] = [];
beforeAll(async () => {
  const file = join(home, 'eva.sweep.yaml');
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: {eva: {rho: 2}}
rank: ${rank}
alpha: 8
batch_size: 16
learning_rate: [1e-2]
seeds: [1]
training: {steps: 6, weight_decay: 0.1}
evaluate: [{task: loss, data: ${demo}desc-test.jsonl, limit: 64}]
curvature: {samples: 5, blocks: [v_proj, o_proj], at: [start, end]}
`,
  );
  const {signal} = new AbortController();
  const onEvent = (event: RunEvent) => void events.push(event);
  expect(await runSweep(file, {out: run, only: [], resume: false, signal, onEvent})).toBe('finished');
});

async function lossOf(model: string, own?: string): Promise<number> {
  const {scores} = await evaluateModel({
    model,
    ...(own === undefined ? {} : {adapter: own}),
    ...{task: 'loss', data: `${demo}desc-test.jsonl`, format: 'completion', limit: 64, engine: 'auto'},
    columns: {prompt: 'prompt', completion: 'answer'},
  });
  return scores[0]!.value!;
}

describe('an adapter whose projections have ranks of their own', () => {
  it('is written as PEFT does: patterns of ranks and alphas, and only pairs that were trained', () => {
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    const {r, lora_alpha, rank_pattern, alpha_pattern, target_modules} = config;
    expect({r, lora_alpha}).toEqual({r: rank, lora_alpha: 8});
    const {tensors} = readHeader(join(adapter, 'adapter_model.safetensors'));
    const ranks = target_modules.map((target: string) => rank_pattern[target] ?? r) as number[];
    expect(ranks.reduce((sum, own) => sum + own)).toBe(rank * 21);
    expect(Math.max(...ranks)).toBeGreaterThan(rank);
    expect(Math.max(...ranks)).toBeLessThanOrEqual(2 * rank);
    for (const [k, target] of target_modules.entries()) {
      const at = (part: string) => tensors.get(`base_model.model.${target}.${part}.weight`)!.shape;
      expect([at('lora_A')[0], at('lora_B')[1]], target).toEqual([ranks[k], ranks[k]]);
      expect((alpha_pattern[target] ?? lora_alpha) / ranks[k]!).toBe(2);
    }
    expect(tensors.size).toBe(2 * target_modules.length);
  });

  it('computes what was evaluated beside its training, as does what is exported of it', async () => {
    const evaluated = events.find(event => event.event === 'evaluation')!.value!;
    expect(Math.abs(evaluated - (await lossOf(`${demo}base`)))).toBeGreaterThan(1e-2);
    expect(Math.abs((await lossOf(`${demo}base`, adapter)) - evaluated)).toBeLessThan(1e-5);
    for (const to of ['adapter', 'merged'] as const)
      await exportTrial({folder: run, trial: id, to, out: join(home, to)});
    expect(Math.abs((await lossOf(`${demo}base`, join(home, 'adapter'))) - evaluated)).toBeLessThan(1e-5);
    expect(Math.abs((await lossOf(join(home, 'merged'))) - evaluated)).toBeLessThan(1e-5);
    const [own, exported] = [readAdapter(adapter), readAdapter(join(home, 'adapter'))];
    expect([...exported.forms].map(([path, {form}]) => [path, form.rank, form.scale])).toEqual(
      [...own.forms].map(([path, {form}]) => [path, form.rank, form.scale]),
    );
  });

  it('is probed where it has pairs, at the start and at the end', () => {
    const probed = events.filter((event): event is Probed & RunEvent => event.event === 'curvature');
    const {forms} = readAdapter(adapter);
    const adapted = [...forms.keys()].filter(path => /[vo]_proj$/.test(path));
    for (const step of [0, 6]) expect(probed.filter(row => row.step === step)).toHaveLength(adapted.length);
    for (const {lambdaMax} of probed) expect(lambdaMax).toBeGreaterThan(0);
  });
});

describe('pairs in use', () => {
  // Two of three pairs, of 2 inputs and 2 outputs.
  const parts = {A: Float32Array.of(1, 0, 0, 2, 0, 0), B: Float32Array.of(1, 2, 0, 3, 4, 0)};

  it('are those before the last rows that are zero', () => {
    expect(pairsInUse(parts, 3)).toBe(2);
    expect(pairsInUse({...parts, A: new Float32Array(6)}, 3)).toBe(0);
    expect(withoutUnused(parts, 3)).toEqual({
      parts: {A: Float32Array.of(1, 0, 0, 2), B: Float32Array.of(1, 2, 3, 4)},
      rank: 2,
    });
  });

  it('are marked in the order of a block', () => {
    const shapes = {A: [3, 2], B: [2, 3]};
    expect(inUse(parts, shapes, 3)).toEqual(Float64Array.of(1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0));
    expect(inUse({...parts, A: Float32Array.of(1, 1, 1, 1, 1, 1)}, shapes, 3)).toBeNull();
  });
});
