/**
 * The transformer decoder: all families in one function, told apart by their configuration only.
 * What differs between training, evaluation and generation (adapters, attention over what) comes as arguments.
 */
import * as tf from '@tensorflow/tfjs-core';
import {spread} from '../engine/graph/gradients.ts';
import {capped, masked} from '../engine/macros/composite.ts';
import type {KeysAndValues, Macros} from '../engine/macros/macros.ts';
import type {ModelConfig} from './config.ts';
import {type Answers, type Batching, headPlaces, tokensOf} from './places.ts';
import {type Projection, siteOf} from './projections.ts';
import {inHalves, type Rotary, rotaryTables} from './rotary.ts';

export interface Model {
  config: ModelConfig;
  macros: Macros;
  /** A frozen weight by its name in the model's files. */
  weight(name: string): tf.Tensor;
}

export interface Passes {
  /**
   * One projection: x [trials, tokens, in] → [trials, tokens, out]. `site` is e.g. `model.layers.0.self_attn.q_proj`.
   * `at`: [trials · tokens], which of a batch's tokens these are, where x has not all of them.
   */
  project(site: string, x: tf.Tensor, at?: tf.Tensor): tf.Tensor;
  /**
   * Attention of a layer: q [trials·rows, heads, length, size], k and v with kvHeads → like q. `before`: keys and values of
   * the tokens in front of all rows of a trial, [trials, kvHeads, positions, size].
   */
  attend(layer: number, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, before?: KeysAndValues): tf.Tensor;
}

/**
 * Hidden states before the last norm: ids [trials·tokens] → [trials, tokens, hidden]. Where the batching has answers, the last
 * layer is computed as far as these need it: → [trials, answers, hidden].
 */
export function hidden(model: Model, ids: tf.Tensor, batching: Batching, passes: Passes): tf.Tensor {
  const {config, weight} = model;
  let x = tf.reshape(tf.gather(weight('model.embed_tokens.weight'), ids as tf.Tensor1D), [
    batching.trials,
    tokensOf(batching),
    config.hiddenSize,
  ]);
  if (config.embeddingScale !== 1) x = tf.mul(x, config.embeddingScale);
  const last = config.layers.length - 1;
  for (const layer of config.layers.keys()) {
    const answers = layer === last ? batching.answers : undefined;
    x = decoderLayer(model, layer, model.macros.checkpoint(x), batching, passes, answers);
  }
  return model.macros.checkpoint(x);
}

/** One layer: hidden states [trials, tokens, hidden] → the same, or those of the answers alone. */
export function decoderLayer(
  model: Model,
  layer: number,
  x: tf.Tensor,
  batching: Batching,
  passes: Passes,
  answers?: Answers,
): tf.Tensor {
  const {config, macros} = model;
  const {norms, residualScale} = config;
  const at = answers?.positions;
  const has = (projection: Projection) => config.projections.includes(projection);
  const norm = (name: string | undefined, input: tf.Tensor) => layerNorm(model, layer, name, input);
  const project = (projection: Projection, input: tf.Tensor) => passes.project(siteOf(layer, projection), input, at);
  const added = (before: tf.Tensor, normName: string | undefined, change: tf.Tensor) => {
    const normed = norm(normName, change);
    return tf.add(before, residualScale === 1 ? normed : tf.mul(normed, residualScale));
  };

  const asked = answers && {own: answersOf(model, x, answers), answers};
  const own = asked?.own ?? x;
  const attended = project('o_proj', attention(model, layer, x, batching, passes, asked));
  const between = added(own, norms.behindAttention, attended);

  const g = norm(norms.beforeMlp, between);
  const fused = (['gate_up_proj', 'input_linear'] as const).find(has);
  const [gate, up] = fused ? tf.split(project(fused, g), 2, 2) : [project('gate_proj', g), project('up_proj', g)];
  const down = has('output_linear') ? 'output_linear' : 'down_proj';
  return added(between, norms.behindMlp, project(down, macros.gated(gate!, up!, config.activation)));
}

/** The tokens of x [trials, tokens, size] that have answers: [trials, answers, size]. */
function answersOf({macros}: Model, x: tf.Tensor, {positions, count}: Answers): tf.Tensor {
  const [trials, tokens, size] = x.shape as [number, number, number];
  return tf.reshape(macros.rows(tf.reshape(x, [trials * tokens, size]), positions), [trials, count, size]);
}

/** What is asked of a layer where only some tokens have answers, and their part of its input. */
interface Asked {
  answers: Answers;
  /** [trials, answers, hidden] */
  own: tf.Tensor;
}

/** Attention of a layer over its input x, for all tokens or those that are asked: what its output projection reads. */
function attention(
  model: Model,
  layer: number,
  x: tf.Tensor,
  batching: Batching,
  passes: Passes,
  asked: Asked | undefined,
): tf.Tensor {
  const answers = asked?.answers;
  const {config} = model;
  const {heads, kvHeads, headDim, norms, qkNorm} = config;
  const places = headPlaces(model, batching);
  const project = (projection: Projection, input: tf.Tensor, at?: tf.Tensor) =>
    passes.project(siteOf(layer, projection), input, at);
  const norm = (name: string | undefined, input: tf.Tensor) => layerNorm(model, layer, name, input);
  /** Queries or keys as the rotary embedding takes them. */
  const turnable = (input: tf.Tensor, count: number, normName: string) => {
    const parted = places.byHead(qkNorm === 'whole' ? norm(normName, input) : input, count);
    return inHalves(qkNorm === 'heads' ? norm(normName, parted) : parted, config);
  };
  /** Of all tokens; queries of those with answers only, where they have a projection of their own. */
  const projected = () => {
    const h = norm(norms.beforeAttention, x);
    if (!config.projections.includes('qkv_proj')) {
      const asking = asked ? norm(norms.beforeAttention, asked.own) : h;
      return [project('q_proj', asking, answers?.positions), project('k_proj', h), project('v_proj', h)];
    }
    const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim];
    const [queries, ...rest] = tf.split(project('qkv_proj', h), sizes, 2);
    return [answers ? answersOf(model, queries!, answers) : queries!, ...rest];
  };
  const [queries, keys, values] = projected();
  const q = places.split(turnable(queries!, heads, 'self_attn.q_norm'), heads, answers);
  const k = places.split(turnable(keys!, kvHeads, 'self_attn.k_norm'), kvHeads);
  const v = places.split(places.byHead(values!, kvHeads), kvHeads);
  const before = batching.beginning ? {k: k.shift()!, v: v.shift()!} : undefined;
  // Nothing is answered within the beginning.
  const first = before && !answers ? [passes.attend(layer, q.shift()!, before.k, before.v)] : [];
  const others = q.map((own, i) => passes.attend(layer, own, k[i]!, v[i]!, before));
  return places.join([...first, ...others], answers);
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
 * Causal attention over whole right-padded sequences from position 0, or from behind the tokens in front of them; layers may
 * see a window only. `positions`: of the longest text without its padding, which some rotary embeddings depend on.
 */
export function causalAttention({config, macros}: Model, positions?: number): Passes['attend'] {
  const group = config.heads / config.kvHeads;
  const constants = once((from: number) =>
    once((length: number) => ({
      tables: once((rotary: Rotary | null) => {
        const until = from + length;
        const own = {from, length: positions ?? until};
        const keys = rotaryTables(length, config, rotary, own);
        const sharpened = rotary?.sharpening !== undefined && until > rotary.sharpening.positions;
        return {keys, queries: sharpened ? rotaryTables(length, config, rotary, {...own, queries: true}) : keys};
      }),
      masks: once((window: number) => causalMask(from, length, group, window)),
    })),
  );
  return (layer, q, k, v, before) => {
    const {rotary, window} = config.layers[layer]!;
    const [rows, , length] = q.shape as [number, number, number];
    const from = before?.k.shape[2] ?? 0;
    const {tables, masks} = constants(from)(length);
    const {keys, queries} = tables(rotary);
    const own = macros.rotary(k, keys.cos, keys.sin);
    const turned = () => {
      const {cos, sin} = constants(0)(from).tables(rotary).keys;
      return macros.rotary(before!.k, cos, sin);
    };
    const y = macros.attention(
      tf.reshape(macros.rotary(q, queries.cos, queries.sin), [rows, config.kvHeads, group * length, config.headDim]),
      before ? behind(turned(), own) : own,
      before ? behind(before.v, v) : v,
      masks(window === null || window >= from + length ? Infinity : window),
      {scale: config.attentionScale, cap: config.scoreCap, group},
    );
    return tf.reshape(y, q.shape);
  };
}

/** Keys or values of rows [trials·rows, heads, length, size] behind those of their trial's beginning [trials, heads, positions, size]. */
export function behind(beginning: tf.Tensor, own: tf.Tensor): tf.Tensor {
  const [trials, heads, positions, size] = beginning.shape as [number, number, number, number];
  const rows = own.shape[0]! / trials;
  const each = tf.reshape(beginning, [trials, 1, heads, positions * size]);
  const all = rows === 1 ? each : spread(each, [trials, rows, heads, positions * size]);
  return tf.concat([tf.reshape(all, [trials * rows, heads, positions, size]), own], 2);
}

/**
 * For positions from `from` on, 0 at the last `window` positions of each, [group · length, from + length]; so much below it
 * elsewhere that nothing is seen.
 */
function causalMask(from: number, length: number, group: number, window: number): tf.Tensor {
  const until = from + length;
  const mask = new Float32Array(group * length * until);
  for (let row = 0; row < group * length; row++) {
    const position = from + (row % length);
    for (let seen = 0; seen < until; seen++)
      if (seen > position || seen <= position - window) mask[row * until + seen] = masked;
  }
  return tf.tensor(mask, [group * length, until]);
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
