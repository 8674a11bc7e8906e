/** Following the reference numbers with an engine, and how far it may be from them. */
import {existsSync} from 'node:fs';
import {expect} from 'vitest';
import {views} from '../../trainer/adaptation/layout.ts';
import {readAdapter} from '../../trainer/adapter/write-adapter.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {Programs} from '../../trainer/engine/program/programs.ts';
import {generate} from '../../trainer/generation/generation.ts';
import type {Parts} from '../../trainer/method/form.ts';
import {causalAttention, frozenProjection, hidden, logitsFrom} from '../../trainer/model/decoder.ts';
import {openFolder} from '../../trainer/model/open-model.ts';
import {paddedRows} from '../../trainer/model/places.ts';
import {
  type GoldenBatch,
  type GoldenCase,
  type GoldenRun,
  golden,
  goldenJson,
  goldenPack,
  goldenTensors,
  goldenValues,
  modelOn,
  packBatch,
  targetsIn,
  tokensIn,
} from './golden.ts';

/** Another order of summation in float32 stays within this many times float32's own distance from float64. */
const float32Slack = 10;
/** Rounding at other places stays within this many times PyTorch's own distance in bfloat16. */
const bfloat16Slack = 3;

/** Architecture and method of the records. */
export const trained = [
  ...['lora', 'rslora', 'pissa', 'milora', 'initab', 'dora', 'olora'].map(method => `llama-${method}`),
  ...['qwen3', 'gemma3'].flatMap(arch => ['lora', 'pissa', 'dora'].map(method => `${arch}-${method}`)),
];

export interface FollowOptions {
  trials?: number;
  merged?: boolean;
  recompute?: boolean;
  /** Rows stand one after another, without padding. */
  unpadded?: boolean;
  /** The first token of all rows stands once. */
  sharing?: boolean;
  /** How far the results may be from the record, where the engine computes in bfloat16. */
  bounds?: Bounds;
}

export type Bounds = Omit<GoldenCase['fp32_vs_f64'], 'logits_max_abs_diff'>;

interface ForwardGolden extends GoldenBatch {
  loss_f64: number;
  fp32_vs_f64: {logits_max_abs_diff: number};
}

const dataset = goldenJson<{train: GoldenBatch[]; eval: GoldenBatch}>('train/dataset.json');

/** The logits of a model's forward batch against float64's. */
export async function followForward(engine: Engine, name: string): Promise<void> {
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
      const batching = paddedRows(1, rows, length);
      const passes = {project: frozenProjection(on), attend: causalAttention(on)};
      return {logits: logitsFrom(on, hidden(on, ids!, batching, passes))};
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
}

/** Greedy answers to prompts of different lengths in one batch, with the first so many end-of-sequence tokens. */
export async function followGeneration(engine: Engine, name: string, endings = Infinity): Promise<void> {
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
  for (const eos of new Set(runs.map(run => run.eos_token_id).slice(0, endings))) {
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
}

/** Follows a case for its 12 steps and compares the trace, the loss afterwards and the final adapter. */
export async function followTraining(
  engine: Engine,
  name: string,
  caseName: string,
  {trials = 1, merged = true, recompute = false, unpadded = false, sharing = false, bounds}: FollowOptions = {},
): Promise<void> {
  const run = goldenJson<GoldenRun>(`train/${name}.json`);
  const reference = run.cases[caseName]!;
  const {f64} = reference;
  const spread = bounds ?? reference.fp32_vs_f64;
  const slack = bounds ? bfloat16Slack : float32Slack;
  const pack = goldenPack(engine, run, reference, trials, merged, recompute);
  const start = await pack.parameters();
  // One shape for all batches, as the trainer has it.
  const room = 1 + Math.max(...dataset.train.map(batch => targetsIn([batch])));
  const tokens = 1 + Math.max(...[...dataset.train, dataset.eval].map(tokensIn));
  const sized = ({input_ids}: GoldenBatch) => {
    // Three rows at most have more than 14 tokens, and one place at least is empty.
    const groups = [
      {rows: 3, length: 20},
      {rows: input_ids.length - 3, length: 15},
    ];
    if (!sharing) return unpadded ? {room, unpadded: {groups, tokens}} : {room};
    const own = groups.map(({rows, length}) => ({rows, length: length - 1}));
    return {room, unpadded: {groups: own, tokens: tokens - 7, beginning: 1}};
  };
  const losses: number[][] = [];
  const norms: number[][] = [];
  const all = (value: number) => new Float32Array(trials).fill(value);
  for (const [step, rate] of reference.lr_per_step.entries()) {
    const {gradient_accumulation: parts} = reference;
    const micro = dataset.train.slice(step * parts, (step + 1) * parts);
    const batches = micro.map(batch => packBatch(batch, trials, targetsIn(micro), sized(batch)));
    const result = await pack.step(batches, all(rate), all(1));
    if (reference.kept?.[step]?.length)
      expect(await keptBySite(pack), `triplets after step ${step}`).toEqual(reference.kept[step]);
    losses.push([...result.losses]);
    norms.push([...result.gradNorms]);
  }
  const after = await pack.evaluate(packBatch(dataset.eval, trials, targetsIn([dataset.eval]), sized(dataset.eval)));
  for (let trial = 0; trial < trials; trial++) {
    const worst = (found: number[][], expected: number[], relative: boolean) =>
      Math.max(...expected.map((value, step) => apart(found[step]![trial]!, value, relative)));
    expect(worst(losses, f64.loss, false)).toBeLessThan(slack * spread.loss_max_abs_diff);
    expect(worst(norms, f64.grad_norm, true)).toBeLessThan(slack * spread.grad_norm_max_rel_diff);
    // The loss itself is known to float32's resolution at best.
    const resolution = f64.eval_loss_after * 2 ** -23;
    expect(Math.abs(after[trial]! - f64.eval_loss_after)).toBeLessThan(
      slack * Math.max(spread.eval_loss_after_abs_diff, bounds?.loss_max_abs_diff ?? 0, resolution),
    );
  }
  compareTrained(
    pack.adaptation.layout,
    start,
    await pack.parameters(),
    reference.final,
    slack * (bounds?.weight_update_rel_diff ?? updateSpread(name, caseName, spread.weight_update_rel_diff)),
  );
  pack.dispose();
}

/** What is to be 0 may be off by next to nothing. */
function apart(found: number, value: number, relative: boolean): number {
  return Math.abs(found - value) / (relative ? Math.max(value, 1e-12) : 1);
}

/** Which triplets of AdaLoRA the first trial has left, by projection in the order of their names. */
async function keptBySite(pack: ReturnType<typeof goldenPack>): Promise<number[][]> {
  const {pattern} = await pack.snapshot();
  let offset = 0;
  const flags = pack.adaptation.layout.pieces.flatMap(({site, part, size}) => {
    if (part !== 'E') return [];
    offset += size;
    return [{site, kept: [...pattern!.subarray(offset - size, offset)]}];
  });
  return flags.sort((a, b) => (a.site < b.site ? -1 : 1)).map(({kept}) => kept);
}

/** Methods whose update is made of low-rank pairs: their products are of the same sizes, and round alike. */
const ofPairs = [
  ...['lora', 'pissa', 'milora', 'initab', 'olora', 'rslora', 'loraga', 'gralora'],
  ...['orthogonal', 'eva', 'corda', 'cordakpm'],
];

/**
 * How far float32 moves an update at this rate. The reference of one case is one draw of that rounding, on one processor: the
 * order of additions, which differs between processors, is another. So the largest of all draws at this rate counts, over
 * the methods that round alike (seen on a processor without AVX-512: 1.08 times ten draws of one case).
 */
function updateSpread(name: string, caseName: string, own: number): number {
  const [model, method] = name.split('-');
  if (!ofPairs.includes(method ?? '')) return own;
  const rate = caseName.split('-')[0]!;
  const draws = ofPairs
    .filter(other => existsSync(golden(`train/${model}-${other}.json`)))
    .flatMap(other => Object.entries(goldenJson<GoldenRun>(`train/${model}-${other}.json`).cases))
    .flatMap(([at, {fp32_vs_f64}]) => (at.split('-')[0] === rate ? [fp32_vs_f64.weight_update_rel_diff] : []));
  return Math.max(own, ...draws);
}

/** The tensors of an adapter by site; without a name those of the whole model. */
function wholeAdapter(folder: string): ReadonlyMap<string, Parts> {
  const {factors, shared} = readAdapter(folder);
  return new Map([...factors, ['', shared]]);
}

/** The update of the first trial's tensors against PEFT's (or of all weights), relative to its size. */
function compareTrained(
  layout: Parameters<typeof views>[1],
  start: Float32Array,
  end: Float32Array,
  folder: string,
  limit: number,
): void {
  const whole = folder.includes('-full/');
  const expected = whole
    ? new Map([...goldenValues(`train/${folder}/model.safetensors`)].map(([name, weight]) => [name, {weight}]))
    : wholeAdapter(golden(`train/${folder}`));
  const began = views(start.subarray(0, layout.size), layout);
  let difference = 0;
  let size = 0;
  for (const [site, parts] of views(end.subarray(0, layout.size), layout))
    for (const [part, values] of Object.entries(parts).filter(([name]) => name !== 'magnitude')) {
      const wanted: Record<string, Float32Array> = expected.get(site)!;
      const before = began.get(site)![part]!;
      values.forEach((value, i) => {
        difference += (value - wanted[part]![i]!) ** 2;
        size += (wanted[part]![i]! - before[i]!) ** 2;
      });
    }
  expect(Math.sqrt(difference / size)).toBeLessThan(limit);
}
