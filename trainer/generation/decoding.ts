/**
 * The two computations of generation. One reads whole texts: logits after the last token, and the keys and values of
 * all; the other adds one token to every sequence of a cache.
 */

import * as tf from '@tensorflow/tfjs-core';
import {product} from '../../core/numbers.ts';
import type {State, TensorSpec, Tensors, Values} from '../engine/program/engine.ts';
import type {Programs} from '../engine/program/programs.ts';
import type {ModelConfig} from '../model/config.ts';
import {behind, causalAttention, hidden, logitsFrom, type Model, type Passes} from '../model/decoder.ts';
import {paddedRows} from '../model/places.ts';
import {type Rotary, rotaryTables} from '../model/rotary.ts';
import {fewSequences} from './sizes.ts';

/** A model whose forward pass can be built inside a computation, and the tensors it reads. */
export interface Generative {
  config: ModelConfig;
  trials: number;
  inputs: Record<string, TensorSpec>;
  feeds: Record<string, Float32Array>;
  passes(tensors: Tensors): {model: Model; project: Passes['project']};
}

/** Keys and values of sequences: for each of `cacheNames`, [sequences, kvHeads, room, headDim]. */
export interface KeysAndValues {
  room: number;
  read(name: string): Promise<Float32Array>;
}

/** What may follow each sequence. */
export interface Prospects {
  /** [sequences, vocabulary] */
  logits: Float32Array;
  /** [sequences]: the token with the largest logit, the first of equal ones. */
  likeliest: Int32Array;
}

export const cacheNames = (config: ModelConfig): string[] =>
  config.layers.flatMap((_, i) => [`keys.${i}`, `values.${i}`]);

/** Texts longer than this have another rotary embedding (LongRoPE); null where the length does not matter. */
export function originalPositions({layers}: ModelConfig): number | null {
  for (const {rotary} of layers) if (rotary?.scaling?.type === 'longrope') return rotary.scaling.originalPositions;
  return null;
}

/** What all texts begin with. */
export interface Beginning {
  length: number;
  /** Keys as they are before any rotation, and values, under the names of a cache: [trials, kvHeads, length, headDim]. */
  values: Record<string, Float32Array>;
}

export interface Reading {
  /** Texts of each trial. */
  rows: number;
  /** Tokens of the longest text behind the beginning, or more. */
  length: number;
  /** Whether the texts are longer than `originalPositions`. */
  beyond: boolean;
  /** In front of all texts, read before. */
  beginning?: Beginning | undefined;
}

/** How texts of all lengths are turned, up to `originalPositions` and beyond. */
const turnedFor = (beyond: boolean): number => (beyond ? Infinity : 1);

const beforeName = (name: string): string => `before.${name}`;

/** Reads what all texts begin with, once for each trial. */
export async function readBeginning(
  programs: Programs,
  generative: Generative,
  text: readonly number[],
  beyond: boolean,
): Promise<Beginning> {
  const {config, trials, inputs, feeds} = generative;
  const {length} = text;
  const program = await programs.get(`begin ${length}${beyond ? ' beyond' : ''}`, () => ({
    inputs: {...inputs, ids: {shape: [trials * length], dtype: 'int32'}},
    state: {},
    body: tensors => {
      const {model, project} = generative.passes(tensors);
      const causal = causalAttention(model, turnedFor(beyond));
      const left: Tensors = {};
      const attend: Passes['attend'] = (layer, q, k, v) => {
        left[`keys.${layer}`] = tf.clone(k);
        left[`values.${layer}`] = tf.clone(v);
        return causal(layer, q, k, v);
      };
      hidden(model, tensors['ids']!, paddedRows(trials, 1, length), {project, attend});
      return left;
    },
  }));
  const ids = Int32Array.from({length: trials * length}, (_, i) => text[i % length]!);
  const results = await program.run({...feeds, ids});
  const values = cacheNames(config).map(name => [name, Float32Array.from(results[name]!)] as const);
  return {length, values: Object.fromEntries(values)};
}

/** Reads one text a sequence (null: none) over all trials. */
export async function readTexts(
  programs: Programs,
  generative: Generative,
  texts: readonly (readonly number[] | null)[],
  {rows, length, beyond, beginning}: Reading,
): Promise<KeysAndValues & Prospects> {
  const {config, trials, inputs, feeds} = generative;
  const sequences = trials * rows;
  const before = Object.entries(beginning?.values ?? {}).map(([name, data]) => [beforeName(name), data] as const);
  const {kvHeads, headDim} = config;
  const from = beginning?.length ?? 0;
  const key = `read ${from > 0 ? `${from}+` : ''}${rows}x${length}${beyond ? ' beyond' : ''}`;
  const program = await programs.get(key, () => ({
    inputs: {
      ...inputs,
      ...Object.fromEntries(
        before.map(([name]) => [name, {shape: [trials, kvHeads, from, headDim], dtype: 'float32' as const}]),
      ),
      ids: {shape: [sequences * length], dtype: 'int32'},
      last: {shape: [sequences], dtype: 'int32'},
    },
    state: {},
    body: tensors => readingOf(generative, tensors, {rows, length, from, beyond}),
  }));
  const ids = new Int32Array(sequences * length).fill(config.padId ?? 0);
  const last = new Int32Array(sequences);
  texts.forEach((text, sequence) => {
    ids.set(text ?? [], sequence * length);
    last[sequence] = sequence * length + Math.max(0, (text?.length ?? 0) - 1);
  });
  const results = await program.run({...feeds, ...Object.fromEntries(before), ids, last});
  return {
    room: from + length,
    read: async name => results[name] as Float32Array,
    ...prospectsOf(results),
  };
}

/** What reading gives: keys and values of all positions from 0 on, and what may follow each text. */
function readingOf(
  generative: Generative,
  tensors: Tensors,
  {rows, length, from, beyond}: {rows: number; length: number; from: number; beyond: boolean},
): Tensors {
  const {config, trials} = generative;
  const {model, project} = generative.passes(tensors);
  const positions = turnedFor(beyond);
  const causal = causalAttention(model, positions);
  const left: Tensors = {};
  const attend: Passes['attend'] = (layer, q, k, v) => {
    const of = (name: string) => tensors[beforeName(`${name}.${layer}`)]!;
    const before = from > 0 ? {k: of('keys'), v: of('values')} : undefined;
    const {cos, sin} = rotaryTables(from + length, config, config.layers[layer]!.rotary, {length: positions});
    left[`keys.${layer}`] = model.macros.rotary(before ? behind(before.k, k) : k, cos, sin);
    left[`values.${layer}`] = before ? behind(before.v, v) : tf.clone(v);
    return causal(layer, q, k, v, before);
  };
  // Nothing but the end of each text is asked; all its places may ask the same.
  const answerAt = Int32Array.from({length: trials * rows * length}, (_, place) => Math.floor(place / length));
  const last = tensors['last']!;
  const answers = {count: rows, positions: last, answerAt: tf.tensor1d(answerAt, 'int32'), placeOfAnswer: last};
  const x = hidden(model, tensors['ids']!, {...paddedRows(trials, rows, length), answers}, {project, attend});
  return {...left, ...prospects(model, tf.reshape(x, [trials * rows, config.hiddenSize]))};
}

/** Sequences of all trials that grow token by token. */
export interface Cache extends KeysAndValues {
  /** Of each trial. */
  rows: number;
  /** Takes over the first `length` positions of a sequence elsewhere. */
  take(from: KeysAndValues, moves: readonly {from: number; to: number; length: number}[]): Promise<void>;
  /**
   * Adds a token to each sequence, at its `position`; `beyond`: the sequences whose text is longer than
   * `originalPositions`. What it returns is valid until the next call.
   */
  add(ids: Int32Array, position: Int32Array, beyond: readonly boolean[]): Promise<Prospects>;
  dispose(): void;
}

/** `reach`: positions there will ever be. */
export function openCache(
  programs: Programs,
  generative: Generative,
  {rows, room, reach}: {rows: number; room: number; reach: number},
): Cache {
  const {config, trials, inputs, feeds} = generative;
  const {kvHeads, headDim} = config;
  const sequences = trials * rows;
  const names = cacheNames(config);
  const shape = [sequences, kvHeads, room, headDim];
  const zeros = new Float32Array(product(shape));
  const values = names.map(name => [name, {shape, data: zeros}] as const);
  // What the model reads is kept beside the cache: a device gets it once, not for every token.
  const read = Object.entries(inputs).map(([name, {shape}]) => [name, {shape, data: feeds[name]!}] as const);
  const state: State = programs.engine.state(Object.fromEntries([...values, ...read]));
  const stretches = originalPositions(config) !== null;
  const perSequence: TensorSpec = {shape: [sequences], dtype: 'int32'};
  const specs = names.map(name => [name, {shape, dtype: 'float32', free: [2]} satisfies TensorSpec] as const);

  return {
    rows,
    room,
    read: name => state.read(name),
    async take(from, moves) {
      if (moves.length === 0) return;
      for (const name of names) {
        const source = await from.read(name);
        await state.change(name, data => {
          for (const move of moves)
            for (let own = 0; own < kvHeads; own++) {
              const start = (move.from * kvHeads + own) * from.room * headDim;
              const part = source.subarray(start, start + move.length * headDim);
              data.set(part, (move.to * kvHeads + own) * room * headDim);
            }
        });
      }
    },
    async add(ids, position, beyond) {
      const size = programs.engine.fixedShapes ? `${rows} × ${room}` : rows;
      const program = await programs.get(`add ${size} of ${reach}`, () => ({
        inputs: {ids: perSequence, position: perSequence, turn: perSequence},
        state: {...Object.fromEntries(specs), ...inputs},
        inPlace: true,
        packed: sequences <= fewSequences,
        body: tensors => {
          const {model, project} = generative.passes(tensors);
          const {attend, extended} = cachedAttention(model, tensors, reach);
          const x = hidden(model, tensors['ids']!, paddedRows(trials, rows, 1), {project, attend});
          return {...extended, ...prospects(model, tf.reshape(x, [sequences, config.hiddenSize]))};
        },
      }));
      const turn = stretches ? position.map((own, i) => (beyond[i] ? own + reach : own)) : position;
      return prospectsOf(await program.run({ids, position, turn}, state));
    },
    dispose: () => state.dispose(),
  };
}

/** From hidden states [sequences, hidden]. */
function prospects(model: Model, x: tf.Tensor): Tensors {
  const logits = logitsFrom(model, x);
  return {logits, likeliest: tf.argMax(logits, -1)};
}

const prospectsOf = ({logits, likeliest}: Record<string, Values>): Prospects => ({
  logits: logits as Float32Array,
  likeliest: likeliest as Int32Array,
});

/** Attention of one new token a sequence over the cache, which it joins at its own `position`. */
function cachedAttention(
  {config, macros}: Model,
  tensors: Tensors,
  reach: number,
): {attend: Passes['attend']; extended: Tensors} {
  const extended: Tensors = {};
  const attend: Passes['attend'] = (layer, q, k, v) => {
    const {rotary, window} = config.layers[layer]!;
    const turn = (x: tf.Tensor, queries: boolean) =>
      rotary === null ? x : macros.rotaryAt(x, ...positionTables(config, rotary, reach, queries), tensors['turn']!);
    const cache = {k: tensors[`keys.${layer}`]!, v: tensors[`values.${layer}`]!};
    const options = {scale: config.attentionScale, cap: config.scoreCap, window};
    const joined = macros.cached(turn(q, true), turn(k, false), v, cache, tensors['position']!, options);
    extended[`keys.${layer}`] = joined.k;
    extended[`values.${layer}`] = joined.v;
    return joined.y;
  };
  return {attend, extended};
}

/** Cosines and sines of all positions up to `reach`, a row each; those of longer texts follow, where they have others. */
function positionTables(
  config: ModelConfig,
  rotary: Rotary,
  reach: number,
  queries: boolean,
): [cos: tf.Tensor, sin: tf.Tensor] {
  const near = rotaryTables(reach, config, rotary, {length: 1, queries});
  if (rotary.scaling?.type !== 'longrope') return [near.cos, near.sin];
  const far = rotaryTables(reach, config, rotary, {length: Infinity, queries});
  return [tf.concat([near.cos, far.cos]), tf.concat([near.sin, far.sin])];
}
