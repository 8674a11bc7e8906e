/** Training that is followed step by step against PyTorch's and PEFT's golden records. */
import {expect} from 'vitest';
import type {Engine} from '../../trainer/engine/engine.ts';
import {views} from '../../trainer/method/layout.ts';
import {
  type GoldenBatch,
  type GoldenCase,
  type GoldenRun,
  goldenJson,
  goldenPack,
  goldenTensors,
  packBatch,
  targetsIn,
} from './golden.ts';

/** Another order of summation in float32 stays within this many times float32's own distance from float64. */
export const float32Slack = 10;
/** Rounding at other places stays within this many times PyTorch's own distance in bfloat16. */
const bfloat16Slack = 3;

/** Architecture and method of the records. */
export const trained = [
  ...['lora', 'rslora', 'pissa', 'milora', 'initab', 'dora', 'olora'].map(method => `llama-${method}`),
  ...['qwen3', 'gemma3'].flatMap(arch => ['lora', 'pissa', 'dora'].map(method => `${arch}-${method}`)),
];
const dataset = goldenJson<{train: GoldenBatch[]; eval: GoldenBatch}>('train/dataset.json');

export interface FollowOptions {
  trials?: number;
  merged?: boolean;
  /** How far the results may be from the record, where the engine computes in bfloat16. */
  bounds?: Bounds;
}

export type Bounds = Omit<GoldenCase['fp32_vs_f64'], 'logits_max_abs_diff'>;

/** Follows a case for its 12 steps and compares the trace, the loss afterwards and the final adapter. */
export async function follow(
  engine: Engine,
  name: string,
  caseName: string,
  {trials = 1, merged = true, bounds}: FollowOptions = {},
): Promise<void> {
  const run = goldenJson<GoldenRun>(`train/${name}.json`);
  const reference = run.cases[caseName]!;
  const {f64} = reference;
  const spread = bounds ?? reference.fp32_vs_f64;
  const slack = bounds ? bfloat16Slack : float32Slack;
  const pack = goldenPack(engine, run, reference, trials, merged);
  const start = await pack.parameters();
  const losses: number[][] = [];
  const norms: number[][] = [];
  // One shape for all steps, as in training: an engine makes it ready once.
  const room = Math.max(...dataset.train.map(batch => targetsIn([batch])));
  const all = (value: number) => new Float32Array(trials).fill(value);
  for (const [step, rate] of reference.lr_per_step.entries()) {
    const {gradient_accumulation: parts} = reference;
    const micro = dataset.train.slice(step * parts, (step + 1) * parts);
    const batches = micro.map(batch => packBatch(batch, trials, targetsIn(micro), room));
    const result = await pack.step(batches, all(rate), all(1));
    losses.push([...result.losses]);
    norms.push([...result.gradNorms]);
  }
  const after = await pack.evaluate(packBatch(dataset.eval, trials, targetsIn([dataset.eval])));
  for (let trial = 0; trial < trials; trial++) {
    const worst = (found: number[][], expected: number[], relative: boolean) =>
      Math.max(...expected.map((value, step) => Math.abs(found[step]![trial]! - value) / (relative ? value : 1)));
    expect(worst(losses, f64.loss, false)).toBeLessThan(slack * spread.loss_max_abs_diff);
    expect(worst(norms, f64.grad_norm, true)).toBeLessThan(slack * spread.grad_norm_max_rel_diff);
    // The loss itself is known to float32's resolution at best; one loss in bfloat16 may be right by chance.
    const resolution = f64.eval_loss_after * 2 ** -23;
    expect(Math.abs(after[trial]! - f64.eval_loss_after)).toBeLessThan(
      slack * Math.max(spread.eval_loss_after_abs_diff, bounds?.loss_max_abs_diff ?? 0, resolution),
    );
  }
  compareAdapter(
    pack.adaptation.layout,
    start,
    await pack.parameters(),
    reference.final,
    slack * spread.weight_update_rel_diff,
  );
  pack.dispose();
  await engine.dispose();
}

/** The update of the first trial's factors against PEFT's, relative to its size. */
function compareAdapter(
  layout: Parameters<typeof views>[1],
  start: Float32Array,
  end: Float32Array,
  folder: string,
  limit: number,
): void {
  const stored = goldenTensors(`train/${folder}/adapter_model.safetensors`);
  const found = views(end.subarray(0, layout.size), layout);
  const began = views(start.subarray(0, layout.size), layout);
  let difference = 0;
  let size = 0;
  for (const [site, {A, B}] of found)
    for (const [part, values] of [
      ['A', A],
      ['B', B],
    ] as const) {
      const expected = stored.get(`base_model.model.${site}.lora_${part}.weight`)!.data;
      const before = began.get(site)![part];
      values.forEach((value, i) => {
        difference += (value - expected[i]!) ** 2;
        size += (expected[i]! - before[i]!) ** 2;
      });
    }
  expect(Math.sqrt(difference / size)).toBeLessThan(limit);
}
