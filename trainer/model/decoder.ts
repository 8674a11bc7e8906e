/**
 * The transformer decoder: all families in one function, told apart by their configuration only.
 * What differs between training, evaluation and generation (adapters, attention over what) comes as arguments.
 */
import * as tf from '@tensorflow/tfjs-core';
import {masked} from '../engine/composite.ts';
import type {Macros} from '../engine/macros.ts';
import type {ModelConfig} from './config.ts';
import {type Rotary, rotaryTables} from './rotary.ts';
import {type Projection, siteOf} from './sites.ts';

export interface Model {
  config: ModelConfig;
  macros: Macros;
  /** A frozen weight by its name in the model's files. */
  weight(name: string): tf.Tensor;
}

/** Token sequences of several trials: `tokens` of each trial are rows · length, or fewer where rows are not padded. */
export interface Batching {
  trials: number;
  rows: number;
  length: number;
  unpadded?: Unpadded;
}

/** Rows one after another: only attention sees them padded. */
export interface Unpadded {
  /** Of each trial. */
  tokens: number;
  /** [trials · rows · length]: the token at each place of the padded rows, one of padding where they are empty. */
  tokenAt: tf.Tensor;
  /** [trials · tokens]: the place of each token. */
  placeOf: tf.Tensor;
}

/** Of each trial. */
const tokensOf = ({rows, length, unpadded}: Batching): number => unpadded?.tokens ?? rows * length;

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
  const {config, macros, weight} = model;
  const {headDim, heads, kvHeads} = config;
  const {trials, rows, length, unpadded} = batching;
  const tokens = tokensOf(batching);
  const name = `model.layers.${layer}`;

  const norm = (normName: string, input: tf.Tensor) => {
    const w = weight(`${normName}.weight`);
    return macros.rmsNorm(input, config.normOffset ? tf.add(w, config.normOffset) : w, config.normEps);
  };
  /** [trials, tokens, count·size] → [trials·rows, count, length, size] */
  const split = (input: tf.Tensor, count: number, normName?: string) => {
    const byHead = tf.reshape(input, [trials * tokens, count, headDim]);
    const normed = normName ? norm(normName, byHead) : byHead;
    const padded = unpadded ? macros.rearranged(normed, unpadded.tokenAt, unpadded.placeOf) : normed;
    return tf.transpose(tf.reshape(padded, [trials * rows, length, count, headDim]), [0, 2, 1, 3]);
  };
  /** [trials·rows, heads, length, size] → [trials, tokens, heads·size] */
  const join = (output: tf.Tensor) => {
    const padded = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [trials * rows * length, heads * headDim]);
    const own = unpadded ? macros.rearranged(padded, unpadded.placeOf, unpadded.tokenAt) : padded;
    return tf.reshape(own, [trials, tokens, heads * headDim]);
  };
  const project = (projection: Projection, input: tf.Tensor) => passes.project(siteOf(layer, projection), input);
  const qk = (projection: 'q' | 'k') => (config.qkNorm ? `${name}.self_attn.${projection}_norm` : undefined);

  const h = norm(`${name}.input_layernorm`, x);
  const [queries, keys, values] = config.fusedProjections
    ? tf.split(project('qkv_proj', h), [heads * headDim, kvHeads * headDim, kvHeads * headDim], 2)
    : [project('q_proj', h), project('k_proj', h), project('v_proj', h)];
  const q = split(queries!, heads, qk('q'));
  const k = split(keys!, kvHeads, qk('k'));
  const v = split(values!, kvHeads);
  const attended = project('o_proj', join(passes.attend(layer, q, k, v)));
  const between = tf.add(x, config.sandwichNorms ? norm(`${name}.post_attention_layernorm`, attended) : attended);

  const g = norm(
    config.sandwichNorms ? `${name}.pre_feedforward_layernorm` : `${name}.post_attention_layernorm`,
    between,
  );
  const [gate, up] = config.fusedProjections
    ? tf.split(project('gate_up_proj', g), 2, 2)
    : [project('gate_proj', g), project('up_proj', g)];
  const fed = project('down_proj', macros.gated(gate!, up!, config.activation));
  return tf.add(between, config.sandwichNorms ? norm(`${name}.post_feedforward_layernorm`, fed) : fed);
}

/** The last norm: [..., hidden] → the same. */
export function finalNorm({config, macros, weight}: Model, x: tf.Tensor): tf.Tensor {
  const w = weight('model.norm.weight');
  return macros.rmsNorm(x, config.normOffset ? tf.add(w, config.normOffset) : w, config.normEps);
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
export function causalAttention(
  {config, macros}: Model,
  {trials, rows, length}: Omit<Batching, 'unpadded'>,
  positions = length,
): Passes['attend'] {
  const group = config.heads / config.kvHeads;
  const tables = once((rotary: Rotary | null) => rotaryTables(length, config.headDim, rotary, positions));
  const masks = once((window: number) => {
    const mask = new Float32Array(group * length * length);
    for (let row = 0; row < group * length; row++) {
      const position = row % length;
      for (let seen = 0; seen < length; seen++)
        if (seen > position || seen <= position - window) mask[row * length + seen] = masked;
    }
    return tf.tensor(mask, [group * length, length]);
  });
  return (layer, q, k, v) => {
    const {rotary, window} = config.layers[layer]!;
    const {cos, sin} = tables(rotary);
    const grouped = [trials * rows, config.kvHeads, group * length, config.headDim];
    const y = macros.attention(
      tf.reshape(macros.rotary(q, cos, sin), grouped),
      macros.rotary(k, cos, sin),
      v,
      masks(window === null || window >= length ? Infinity : window),
      config.attentionScale,
    );
    return tf.reshape(y, [trials * rows, config.heads, length, config.headDim]);
  };
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
