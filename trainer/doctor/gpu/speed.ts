/** How long a training step takes on a GPU, in packs of several sizes, and what it takes of the device's memory. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {product} from '../../../core/numbers.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {paddedShape} from '../../data/shapes.ts';
import type {Engine} from '../../engine/program/engine.ts';
import {needsRoom} from '../../engine/program/no-room.ts';
import {Programs} from '../../engine/program/programs.ts';
import {random} from '../../math/random.ts';
import {formOf, methods} from '../../method/index.ts';
import {type BaseModel, openFolder} from '../../model/open-model.ts';
import {sitesOf} from '../../model/sites.ts';
import {deviceMemory} from '../../size/memory.ts';
import {startingParameters} from '../../step/start.ts';
import {Pack, type PackBatch} from '../../step/step.ts';
import {together} from '../../training/open-pack.ts';
import {writeSafetensors} from '../../weights/safetensors.ts';
import {plainTraining} from './plain-training.ts';

/** A model with random weights and its batches. */
export interface Size {
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
  vocabulary: number;
  rows: number;
  /** Of a row. */
  tokens: number;
  rank: number;
}

export const sizes = {
  whole: {layers: 4, hidden: 256, heads: 4, intermediate: 768, vocabulary: 512, rows: 16, tokens: 64, rank: 8},
  short: {layers: 2, hidden: 64, heads: 4, intermediate: 192, vocabulary: 512, rows: 4, tokens: 16, rank: 8},
} as const satisfies Record<string, Size>;

export const titleOf = ({layers, hidden, rows, tokens, rank}: Size): string =>
  `${layers} layers of width ${hidden}, batch ${rows} × ${tokens}, rank ${rank}`;

export interface Timed {
  /** Trials side by side. */
  trials: number;
  /** Of a step, for each trial. */
  milliseconds: number;
  /** Of the device: what the pack took, where the system tells, and what is counted on. */
  bytes: number | null;
  counted: number;
}

/** Steps in which memory is laid out. */
const firstSteps = 3;

export interface Timing {
  /** Each pack is timed for so long, at least a step. */
  seconds: number;
  /** Bytes taken of the device; null where nothing tells. */
  used(): Promise<number | null>;
}

/** Steps of packs of so many trials; the first that there is no room for ends the list. */
export async function timePacks(
  engine: Engine,
  model: BaseModel,
  size: Size,
  sides: readonly number[],
  {seconds, used}: Timing,
): Promise<Timed[]> {
  const before = await used();
  const timed: Timed[] = [];
  const more = async (): Promise<number | null> => {
    const now = await used();
    return now === null || before === null ? null : Math.max(0, now - before);
  };
  for (const trials of sides) {
    const programs = new Programs(engine);
    try {
      timed.push(await timePack(programs, model, size, trials, {seconds, used: more}));
    } catch (error) {
      if (!needsRoom(error)) throw error;
      break;
    } finally {
      await programs.dispose();
    }
  }
  return timed;
}

async function timePack(
  programs: Programs,
  {config, weights}: BaseModel,
  size: Size,
  trials: number,
  {seconds, used}: Timing,
): Promise<Timed> {
  const {rank} = size;
  const sites = sitesOf(config.layers.length, 'all', weights);
  const trial: Trial = {id: '0', method: 'lora', rank, alpha: rank, batchSize: size.rows, learningRate: 1e-3, seed: 1};
  const one = await startingParameters(trial, {config, weights, sites, programs});
  const parameters = together(Array.from({length: trials}, () => one.parameters));
  const own = {config, weights, method: methods.lora, sites, form: formOf(trial), trials, training: plainTraining};
  const pack = new Pack(programs, {...own, merged: true}, {parameters});
  const batch = batchOf(size, trials);
  const [rates, active] = [new Float32Array(trials).fill(1e-3), new Float32Array(trials).fill(1)];
  try {
    for (let step = 0; step < firstSteps; step++) await pack.step([batch], rates, active);
    const times: number[] = [];
    const began = performance.now();
    do {
      const start = performance.now();
      await pack.step([batch], rates, active);
      times.push(performance.now() - start);
    } while (performance.now() - began < 1000 * seconds);
    const kept = {config, weights, sites, rank, merged: true, recompute: false, dropout: false};
    const counting = {...kept, parameters: one.parameters.length, shared: 0, starting: 0};
    return {
      trials,
      milliseconds: times.sort((a, b) => a - b)[times.length >> 1]! / trials,
      bytes: await used(),
      counted: deviceMemory({...counting, evaluating: {bytes: 0, programs: 0}}, [batch.shape], trials),
    };
  } finally {
    pack.dispose();
  }
}

/** Made rows; every token but a row's first is a target. */
function batchOf({rows, tokens, vocabulary}: Size, trials: number): PackBatch {
  const count = rows * tokens;
  const ids = Int32Array.from({length: trials * count}, (_, i) => (i * 7 + 3) % vocabulary);
  const positions = Int32Array.from(ids.keys()).filter(position => (position + 1) % tokens !== 0);
  const targets = positions.length / trials;
  return {
    shape: paddedShape(rows, tokens, targets),
    ids,
    positions,
    targets: positions.map(position => ids[position + 1]!),
    weights: new Float32Array(positions.length).fill(1 / targets),
    tokenAt: new Int32Array(0),
    placeOf: new Int32Array(0),
    answerAt: new Int32Array(0),
    placeOfAnswer: new Int32Array(0),
    noise: new Float32Array(0),
  };
}

/** Writes a Llama with random weights. */
export function randomModel(
  folder: string,
  {layers, hidden, heads, intermediate, vocabulary, tokens}: Size,
): BaseModel {
  mkdirSync(folder, {recursive: true});
  const tensors = new Map<string, {shape: number[]; data: Float32Array}>();
  const add = (name: string, ...shape: number[]): void => {
    const length = product(shape);
    const data =
      shape.length === 1 ? new Float32Array(length).fill(1) : random('doctor', name).uniform(length, -0.08, 0.08);
    tensors.set(name, {shape, data: Float32Array.from(data)});
  };
  add('model.embed_tokens.weight', vocabulary, hidden);
  add('model.norm.weight', hidden);
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}.weight`;
    for (const name of ['q', 'k', 'v', 'o']) add(at(`self_attn.${name}_proj`), hidden, hidden);
    for (const name of ['gate', 'up']) add(at(`mlp.${name}_proj`), intermediate, hidden);
    add(at('mlp.down_proj'), hidden, intermediate);
    for (const name of ['input', 'post_attention']) add(at(`${name}_layernorm`), hidden);
  }
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    max_position_embeddings: tokens,
    rms_norm_eps: 1e-6,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return openFolder(folder);
}
