/**
 * The transformer decoder: all families in one function, told apart by their configuration only.
 * What differs between training, evaluation and generation (adapters, attention over what) comes as arguments.
 */
import * as tf from '@tensorflow/tfjs-core';
import {capped, masked} from '../engine/macros/composite.ts';
import type {Macros} from '../engine/macros/macros.ts';
import type {ModelConfig} from './config.ts';
import {type Projection, siteOf} from './projections.ts';
import {inHalves, type Rotary, rotaryTables} from './rotary.ts';

export interface Model {
  config: ModelConfig;
  macros: Macros;
  /** A frozen weight by its name in the model's files. */
  weight(name: string): tf.Tensor;
}

/** Rows of one length, padded on the right. */
export interface RowGroup {
  rows: number;
  length: number;
}

/** Token sequences of several trials. The tokens of each are the places of one group of rows, or others that attention moves to the places of several. */
export interface Batching {
  trials: number;
  groups: readonly RowGroup[];
  unpadded?: Unpadded;
}

/** Rows one after another: only attention sees them padded. */
export interface Unpadded {
  /** Of each trial. */
  tokens: number;
  /** [places]: the token at each place of the padded rows, one of padding where they are empty; group after group. */
  tokenAt: tf.Tensor;
  /** [trials · tokens]: the place of each token. */
  placeOf: tf.Tensor;
}

/** Rows padded to one length everywhere. */
export const paddedRows = (trials: number, rows: number, length: number): Batching => ({
  trials,
  groups: [{rows, length}],
});

/** Of each trial. */
const tokensOf = ({groups, unpadded}: Batching): number => unpadded?.tokens ?? groups[0]!.rows * groups[0]!.length;

export interface Passes {
  /** One projection: x [trials, tokens, in] → [trials, tokens, out]. `site` is e.g. `model.layers.0.self_attn.q_proj`. */
  project(site: string, x: tf.Tensor): tf.Tensor;
  /** Attention of a layer: q [trials·rows, heads, length, size], k and v with kvHeads → like q. */
  attend(layer: number, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor;
}

/** Hidden states before the last norm: ids [trials·tokens] → [trials, tokens, hidden]. */
export function hidden(model: Model, ids: tf.Tensor, batching: Batching, passes: Passes): tf.Tensor {
  const {config, weight} = model;
  let x = tf.reshape(tf.gather(weight('model.embed_tokens.weight'), ids as tf.Tensor1D), [
    batching.trials,
    tokensOf(batching),
    config.hiddenSize,
  ]);
  if (config.embeddingScale !== 1) x = tf.mul(x, config.embeddingScale);
  config.layers.forEach((_, layer) => {
    x = decoderLayer(model, layer, model.macros.checkpoint(x), batching, passes);
  });
  return model.macros.checkpoint(x);
}

/** One layer: hidden states [trials, tokens, hidden] → the same. */
export function decoderLayer(model: Model, layer: number, x: tf.Tensor, batching: Batching, passes: Passes): tf.Tensor {
  const {config, macros} = model;
  const {heads, kvHeads, headDim, norms, residualScale} = config;
  const {split, join, byHead} = headPlaces(model, batching);
  const project = (projection: Projection, input: tf.Tensor) => passes.project(siteOf(layer, projection), input);
  const has = (projection: Projection) => config.projections.includes(projection);
  const norm = (name: string | undefined, input: tf.Tensor) => layerNorm(model, layer, name, input);
  /** Queries or keys as the rotary embedding takes them. */
  const turnable = (input: tf.Tensor, count: number, normName: string) => {
    const {qkNorm} = config;
    const parted = byHead(qkNorm === 'whole' ? norm(normName, input) : input, count);
    return inHalves(qkNorm === 'heads' ? norm(normName, parted) : parted, config);
  };
  const added = (before: tf.Tensor, normName: string | undefined, change: tf.Tensor) => {
    const normed = norm(normName, change);
    return tf.add(before, residualScale === 1 ? normed : tf.mul(normed, residualScale));
  };

  const h = norm(norms.beforeAttention, x);
  const [queries, keys, values] = has('qkv_proj')
    ? tf.split(project('qkv_proj', h), [heads * headDim, kvHeads * headDim, kvHeads * headDim], 2)
    : [project('q_proj', h), project('k_proj', h), project('v_proj', h)];
  const q = split(turnable(queries!, heads, 'self_attn.q_norm'), heads);
  const k = split(turnable(keys!, kvHeads, 'self_attn.k_norm'), kvHeads);
  const v = split(byHead(values!, kvHeads), kvHeads);
  const attended = project('o_proj', join(q.map((own, i) => passes.attend(layer, own, k[i]!, v[i]!))));
  const between = added(x, norms.behindAttention, attended);

  const g = norm(norms.beforeMlp, between);
  const fused = (['gate_up_proj', 'input_linear'] as const).find(has);
  const [gate, up] = fused ? tf.split(project(fused, g), 2, 2) : [project('gate_proj', g), project('up_proj', g)];
  const down = has('output_linear') ? 'output_linear' : 'down_proj';
  return added(between, norms.behindMlp, project(down, macros.gated(gate!, up!, config.activation)));
}

/** A norm of a layer by the name of its weight; without a name there is none. */
function layerNorm(
  {config, macros, weight}: Model,
  layer: number,
  name: string | undefined,
  input: tf.Tensor,
): tf.Tensor {
  if (name === undefined) return input;
  const w = weight(`model.layers.${layer}.${name}.weight`);
  return macros.rmsNorm(input, config.normOffset ? tf.add(w, config.normOffset) : w, config.normEps);
}

/** How tokens go to the places that attention sees, head by head, and back. */
function headPlaces({config, macros}: Model, batching: Batching) {
  const {headDim, heads} = config;
  const {trials, groups, unpadded} = batching;
  const tokens = tokensOf(batching);
  const places = groups.map(({rows, length}) => trials * rows * length);
  return {
    /** [trials, tokens, count·size] → [trials·tokens, count, size] */
    byHead: (input: tf.Tensor, count: number) => tf.reshape(input, [trials * tokens, count, headDim]),
    /** [trials·tokens, count, size] → for each group [trials·rows, count, length, size] */
    split(input: tf.Tensor, count: number) {
      const placed = unpadded ? macros.rearranged(input, unpadded.tokenAt, unpadded.placeOf) : input;
      const parts = groups.length === 1 ? [placed] : tf.split(placed, places);
      return parts.map((part, i) => {
        const {rows, length} = groups[i]!;
        return tf.transpose(tf.reshape(part, [trials * rows, length, count, headDim]), [0, 2, 1, 3]);
      });
    },
    /** For each group [trials·rows, heads, length, size] → [trials, tokens, heads·size] */
    join(outputs: tf.Tensor[]) {
      const parts = outputs.map((output, i) =>
        tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [places[i]!, heads * headDim]),
      );
      const placed = parts.length === 1 ? parts[0]! : tf.concat(parts);
      const own = unpadded ? macros.rearranged(placed, unpadded.placeOf, unpadded.tokenAt) : placed;
      return tf.reshape(own, [trials, tokens, heads * headDim]);
    },
  };
}

/** The last norm, and the scale of the logits: [..., hidden] → the same. */
export function finalNorm({config, macros, weight}: Model, x: tf.Tensor): tf.Tensor {
  const w = weight('model.norm.weight');
  const normed = macros.rmsNorm(x, config.normOffset ? tf.add(w, config.normOffset) : w, config.normEps);
  return config.logitScale === 1 ? normed : tf.mul(normed, config.logitScale);
}

/** From hidden states [trials, rows, hidden] → [trials, rows, vocabulary]. */
export function logitsFrom(model: Model, x: tf.Tensor): tf.Tensor {
  const {logitCap} = model.config;
  const uncapped = model.macros.linear(finalNorm(model, x), head(model));
  return logitCap === null ? uncapped : capped(uncapped, logitCap);
}

/** The matrix that turns hidden states into logits: [vocabulary, hidden]. */
export function head({config, weight}: Model): tf.Tensor {
  return weight(config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
}

/** The projections' own weights, without adapters. */
export function frozenProjection({config, macros, weight}: Model): Passes['project'] {
  return (site, x) => withBias(config, weight, site, macros.linear(x, weight(`${site}.weight`)));
}

/** Adds the projection's bias, where it has one. */
export function withBias(config: ModelConfig, weight: Model['weight'], site: string, y: tf.Tensor): tf.Tensor {
  const biased = config.biases.some(projection => site.endsWith(`.${projection}`));
  return biased ? tf.add(y, weight(`${site}.bias`)) : y;
}

/**
 * Causal attention over whole right-padded sequences from position 0; layers may see a window only. `positions`: of the
 * longest text without its padding, which some rotary embeddings depend on.
 */
export function causalAttention({config, macros}: Model, positions?: number): Passes['attend'] {
  const group = config.heads / config.kvHeads;
  const constants = once((length: number) => ({
    tables: once((rotary: Rotary | null) => {
      const keys = rotaryTables(length, config, rotary, {length: positions ?? length});
      const sharpened = rotary?.sharpening !== undefined && length > rotary.sharpening.positions;
      return {keys, queries: sharpened ? rotaryTables(length, config, rotary, {queries: true}) : keys};
    }),
    masks: once((window: number) => causalMask(length, group, window)),
  }));
  return (layer, q, k, v) => {
    const {rotary, window} = config.layers[layer]!;
    const [rows, , length] = q.shape as [number, number, number];
    const {tables, masks} = constants(length);
    const {keys, queries} = tables(rotary);
    const y = macros.attention(
      tf.reshape(macros.rotary(q, queries.cos, queries.sin), [rows, config.kvHeads, group * length, config.headDim]),
      macros.rotary(k, keys.cos, keys.sin),
      v,
      masks(window === null || window >= length ? Infinity : window),
      {scale: config.attentionScale, cap: config.scoreCap},
    );
    return tf.reshape(y, q.shape);
  };
}

/** 0 at the last `window` positions of each, [group · length, length]; so much below it elsewhere that nothing is seen. */
function causalMask(length: number, group: number, window: number): tf.Tensor {
  const mask = new Float32Array(group * length * length);
  for (let row = 0; row < group * length; row++) {
    const position = row % length;
    for (let seen = 0; seen < length; seen++)
      if (seen > position || seen <= position - window) mask[row * length + seen] = masked;
  }
  return tf.tensor(mask, [group * length, length]);
}

/** Remembers results by argument. */
function once<Key, Result>(compute: (key: Key) => Result): (key: Key) => Result {
  const known = new Map<Key, Result>();
  return key => {
    let result = known.get(key);
    if (result === undefined) {
      result = compute(key);
      known.set(key, result);
    }
    return result;
  };
}
