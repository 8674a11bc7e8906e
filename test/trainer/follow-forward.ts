/** Forward passes and greedy generation of the golden models, compared with float64 and with transformers. */
import {expect} from 'vitest';
import type {Engine} from '../../trainer/engine/engine.ts';
import {Programs} from '../../trainer/engine/programs.ts';
import {causalAttention, finalNorm, frozenProjection, head, hidden} from '../../trainer/model/decoder.ts';
import {generate} from '../../trainer/model/generation.ts';
import {openFolder} from '../../trainer/model/open-model.ts';
import {float32Slack} from './follow.ts';
import {type GoldenBatch, golden, goldenJson, goldenTensors, modelOn} from './golden.ts';

interface ForwardGolden extends GoldenBatch {
  loss_f64: number;
  fp32_vs_f64: {logits_max_abs_diff: number};
}

export const forwardModels = ['llama', 'qwen3', 'gemma3', 'llama-bf16', 'llama-sharded'];

/** Logits agree with float64. */
export async function forwardAgrees(engine: Engine, name: string): Promise<void> {
  const reference = name === 'llama-sharded' ? 'llama' : name;
  const expected = goldenJson<ForwardGolden>(`forward/${reference}.json`);
  const logits = goldenTensors(`forward/${reference}.safetensors`).get('logits_f64')!;
  const model = openFolder(golden(`models/${name}`));
  const [rows, length, vocabulary] = logits.shape as [number, number, number];
  const program = await engine.compile({
    inputs: {ids: {shape: [rows * length], dtype: 'int32'}},
    state: {},
    body: ({ids}) => {
      const on = modelOn(engine, model);
      const batching = {trials: 1, rows, length};
      const passes = {project: frozenProjection(on), attend: causalAttention(on, batching)};
      return {logits: on.macros.linear(finalNorm(on, hidden(on, ids!, batching, passes)), head(on))};
    },
  });
  const result = await program.run({ids: Int32Array.from(expected.input_ids.flat())});
  const tolerance = float32Slack * expected.fp32_vs_f64.logits_max_abs_diff;
  let largest = 0;
  expected.attention_mask.flat().forEach((valid, position) => {
    for (let id = 0; valid === 1 && id < vocabulary; id++) {
      const i = position * vocabulary + id;
      largest = Math.max(largest, Math.abs(result['logits']![i]! - logits.data[i]!));
    }
  });
  expect(largest).toBeLessThan(tolerance);
  await program.dispose();
  await engine.dispose();
}

export const generationModels = ['llama', 'qwen3', 'gemma3', 'llama-bf16'];

/** Prompts of different lengths in one batch continue as alone in transformers. */
export async function generationAgrees(engine: Engine, name: string): Promise<void> {
  const {runs, max_new_tokens} = goldenJson<{
    max_new_tokens: number;
    runs: {prompt_ids: number[]; eos_token_id: number; new_ids: number[]}[];
  }>(`generate/${name}.json`);
  const model = openFolder(golden(`models/${name}`));
  const generative = {
    config: model.config,
    trials: 1,
    inputs: {},
    feeds: {},
    passes: () => {
      const on = modelOn(engine, model);
      return {model: on, project: frozenProjection(on)};
    },
  };
  for (const eos of new Set(runs.map(run => run.eos_token_id))) {
    const own = runs.filter(run => run.eos_token_id === eos);
    const programs = new Programs(engine);
    const limits = {maxNewTokens: max_new_tokens, eosIds: [eos]};
    const [answers] = await generate(
      programs,
      generative,
      own.map(run => run.prompt_ids),
      limits,
    );
    expect(answers).toEqual(own.map(run => run.new_ids));
    await programs.dispose();
  }
  await engine.dispose();
}
