/**
 * Greedy generation with a key–value cache, batched over prompts and trials: one computation reads the prompts and
 * fills the cache, another adds a token to every sequence. Prompts of different lengths share a batch; every
 * sequence sees exactly what it would see alone.
 */
import * as tf from '@tensorflow/tfjs-core';
import {composite} from '../engine/composite.ts';
import type {Program, State, TensorSpec, Tensors, Values} from '../engine/engine.ts';
import type {Programs} from '../engine/programs.ts';
import type {ModelConfig} from './config.ts';
import {causalAttention, finalNorm, head, hidden, type Model, masked, type Passes} from './decoder.ts';
import {rotaryTables} from './rotary.ts';

/** A model whose forward pass can be built inside a computation, and the tensors it reads. */
export interface Generative {
  config: ModelConfig;
  trials: number;
  inputs: Record<string, TensorSpec>;
  feeds: Record<string, Float32Array>;
  passes(tensors: Tensors): {model: Model; project: Passes['project']};
}

export interface GenerationLimits {
  maxNewTokens: number;
  /** Generation of a sequence ends after one of these. */
  eosIds: readonly number[];
}

/** Sequences decoded side by side, over all trials: bounds the cache. */
const sequencesAtOnce = 256;

/**
 * Continues every prompt for every trial. Returns `[trial][prompt]` new ids, the end-of-sequence token included when
 * it was reached.
 */
export async function generate(
  programs: Programs,
  generative: Generative,
  prompts: readonly ArrayLike<number>[],
  {maxNewTokens, eosIds}: GenerationLimits,
  stopped: () => boolean = () => false,
): Promise<number[][][]> {
  const {trials} = generative;
  const results: number[][][] = Array.from({length: trials}, () => prompts.map(() => []));
  const longest = Math.max(...prompts.map(prompt => prompt.length));
  const rows = Math.min(prompts.length, Math.max(1, Math.floor(sequencesAtOnce / trials)));
  const decoder = await openDecoder(programs, generative, {rows, length: longest, room: longest + maxNewTokens});
  try {
    const order = prompts.map((_, i) => i).sort((a, b) => prompts[a]!.length - prompts[b]!.length);
    for (let start = 0; start < order.length && !stopped(); start += rows) {
      const batch = order.slice(start, start + rows);
      const unfinished = new Set<number>();
      const take = (next: Int32Array) => {
        for (const sequence of unfinished) {
          const ids = results[Math.floor(sequence / rows)]![batch[sequence % rows]!]!;
          ids.push(next[sequence]!);
          if (ids.length >= maxNewTokens || eosIds.includes(next[sequence]!)) unfinished.delete(sequence);
        }
      };
      for (let trial = 0; trial < trials; trial++)
        batch.forEach((_, row) => {
          unfinished.add(trial * rows + row);
        });
      take(await decoder.read(batch.map(i => prompts[i]!)));
      while (unfinished.size > 0 && !stopped()) take(await decoder.next());
    }
  } finally {
    decoder.dispose();
  }
  return results;
}

interface Decoder {
  /** Reads one prompt a row (fewer rows may be given) and returns the first new token of each sequence. */
  read(prompts: readonly ArrayLike<number>[]): Promise<Int32Array>;
  /** The next token of each sequence. */
  next(): Promise<Int32Array>;
  dispose(): void;
}

interface Room {
  rows: number;
  /** Of the longest prompt. */
  length: number;
  /** Positions in the cache. */
  room: number;
}

async function openDecoder(programs: Programs, generative: Generative, {rows, length, room}: Room): Promise<Decoder> {
  const {config, trials, inputs, feeds} = generative;
  const sequences = trials * rows;
  const cacheShape = [sequences, config.kvHeads, room, config.headDim];
  const cache: Record<string, TensorSpec> = {};
  for (const layer of config.layers.keys())
    for (const part of ['k', 'v']) cache[`${part}${layer}`] = {shape: cacheShape, dtype: 'float32'};
  // What the model reads is kept beside the cache: a device gets it once, not for every token.
  const kept = {...cache, ...inputs};
  const perSequence: TensorSpec = {shape: [sequences], dtype: 'int32'};

  const size = `${rows}x${length}+${room - length}`;
  const reading = await programs.get(`read ${size}`, () => ({
    inputs: {ids: {shape: [sequences * length], dtype: 'int32'}, last: perSequence},
    state: kept,
    body: tensors => {
      const {model, project} = generative.passes(tensors);
      const batching = {trials, rows, length};
      const causal = causalAttention(model, batching);
      const filled: Tensors = {};
      const fill = (x: tf.Tensor) =>
        tf.pad(x, [
          [0, 0],
          [0, 0],
          [0, room - length],
          [0, 0],
        ]);
      const attend: Passes['attend'] = (layer, q, k, v) => {
        const {cos, sin} = rotaryTables(length, config.headDim, config.layers[layer]!.rotary);
        filled[`k${layer}`] = fill(model.macros.rotary(k, cos, sin));
        filled[`v${layer}`] = fill(v);
        return causal(layer, q, k, v);
      };
      const x = hidden(model, tensors['ids']!, batching, {project, attend});
      const rowsOut = model.macros.rows(tf.reshape(x, [sequences * length, config.hiddenSize]), tensors['last']!);
      return {...filled, next: likeliest(model, rowsOut)};
    },
  }));

  const adding = await programs.get(`add ${size}`, () => ({
    inputs: {ids: perSequence, position: perSequence},
    state: kept,
    body: tensors => {
      const {model, project} = generative.passes(tensors);
      const {attend, extended} = cachedAttention(model, tensors, {sequences, room});
      const x = hidden(model, tensors['ids']!, {trials, rows, length: 1}, {project, attend});
      return {...extended, next: likeliest(model, tf.reshape(x, [sequences, config.hiddenSize]))};
    },
  }));

  const zeros = () => new Float32Array(cacheShape.reduce((product, size) => product * size, 1));
  const state: State = programs.engine.state(
    Object.fromEntries(Object.entries(kept).map(([name, {shape}]) => [name, {shape, data: feeds[name] ?? zeros()}])),
  );
  const position = new Int32Array(sequences);
  let next = new Int32Array(sequences);
  const run = async (program: Program, own: Record<string, Values>) => {
    next = Int32Array.from((await program.run(own, state))['next']!);
    return next;
  };
  return {
    async read(prompts) {
      const ids = new Int32Array(sequences * length).fill(config.padId ?? 0);
      const last = new Int32Array(sequences);
      for (let sequence = 0; sequence < sequences; sequence++) {
        const prompt = prompts[sequence % rows] ?? prompts[0]!;
        ids.set(prompt, sequence * length);
        position[sequence] = prompt.length - 1;
        last[sequence] = sequence * length + prompt.length - 1;
      }
      return run(reading, {ids, last});
    },
    async next() {
      for (let sequence = 0; sequence < sequences; sequence++)
        position[sequence] = Math.min(position[sequence]! + 1, room - 1);
      return run(adding, {ids: next, position});
    },
    dispose: () => state.dispose(),
  };
}

/** The likeliest next token after each hidden state: [rows, hidden] → [rows]. */
function likeliest(model: Model, x: tf.Tensor): tf.Tensor {
  return tf.argMax(model.macros.linear(finalNorm(model, x), head(model)), -1);
}

/** Attention of one new token a sequence over the cache, which it joins at its own `position`. */
function cachedAttention(
  {config}: Model,
  tensors: Tensors,
  {sequences, room}: {sequences: number; room: number},
): {attend: Passes['attend']; extended: Tensors} {
  const extended: Tensors = {};
  const position = tensors['position'] as tf.Tensor1D;
  const own = tf.reshape(position, [sequences, 1, 1, 1]);
  const slots = (shape: number[]) =>
    tf.tensor(
      Int32Array.from({length: room}, (_, i) => i),
      shape,
      'int32',
    );
  const here = tf.cast(tf.equal(slots([1, 1, room, 1]), own), 'float32');
  const elsewhere = tf.sub(1, here);
  const attend: Passes['attend'] = (layer, q, k, v) => {
    const {rotary, window} = config.layers[layer]!;
    const {cos, sin} = rotaryTables(room, config.headDim, rotary);
    const angle = (table: tf.Tensor) => tf.reshape(tf.gather(table, position), [sequences, 1, 1, config.headDim / 2]);
    const rotate = (x: tf.Tensor) => composite.rotary(x, angle(cos), angle(sin));
    const join = (name: string, x: tf.Tensor) => {
      const joined = tf.add(tf.mul(tensors[name]!, elsewhere), tf.mul(x, here));
      extended[name] = joined;
      return joined;
    };
    const keys = join(`k${layer}`, rotate(k));
    const values = join(`v${layer}`, v);
    const slot = slots([1, 1, 1, room]);
    const late = tf.cast(tf.greater(slot, own), 'float32');
    const early = window === null ? late : tf.add(late, tf.cast(tf.lessEqual(slot, tf.sub(own, window)), 'float32'));
    const group = config.heads / config.kvHeads;
    const y = composite.attention(
      tf.reshape(rotate(q), [sequences, config.kvHeads, group, config.headDim]),
      keys,
      values,
      tf.mul(early, masked),
      config.attentionScale,
    );
    return tf.reshape(y, [sequences, config.heads, 1, config.headDim]);
  };
  return {attend, extended};
}
