/** What a training step keeps in memory while it runs, counted from what the macros keep (engine/fused.ts). */
import {type BatchShape, isAnswered} from '../data/shapes.ts';
import {keysRead, logitRows} from '../engine/macros/blocks.ts';
import {beginningOf, cachedPerPosition, paddedLength, powerOf2, seatsFor, textsAtOnce} from '../generation/sizes.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Site} from '../model/site.ts';

/** What of a training decides how much is kept. */
export interface KeptBy {
  config: ModelConfig;
  /** The adapted projections, and the rank at most. */
  sites: readonly Site[];
  rank: number;
  /** Low-rank updates are merged into the weights at each step. */
  merged: boolean;
  /** Only the hidden states between layers are kept. */
  recompute: boolean;
  dropout: boolean;
}

const float = 4;

/** Numbers of the logits at a time: their logarithm and their exponential stand side by side, and what caps them. */
const logitNumbers = (targets: number, {vocabSize, logitCap}: ModelConfig): number =>
  (logitCap === null ? 2 : 4) * Math.min(targets, logitRows(vocabSize)) * vocabSize;

/** Bytes of a step at its peak, of one trial: between forward and backward pass, or in a layer's backward pass. */
export function activationBytes(training: KeptBy, shape: BatchShape): number {
  const {tokens, targets} = shape;
  const {config, recompute} = training;
  const {hiddenSize, intermediateSize, heads} = config;
  const layers = config.layers.length;
  const groups = attended(shape);
  const atPlaces = groups.reduce((sum, group) => sum + group.rows * group.length * keptPerPlace(training, group), 0);
  const layer = tokens * keptPerToken(training) + atPlaces;
  // What the last layer computes for targets only is kept for them only; its keys and values, and their input, for all.
  const spared = isAnswered(shape) ? (tokens - targets) * (keptPerToken(training) - 2 * hiddenSize) : 0;
  const kept = recompute ? tokens * hiddenSize * layers : layer * layers - spared + mergedNumbers(training);
  const loss = logitNumbers(targets, config) + 4 * targets * hiddenSize;
  // Side by side in the widest place of a layer's backward pass: the gated product's numbers, or attention's.
  const attention = groups.reduce((most, {rows, length, read}) => Math.max(most, rows * length * 3 * heads * read), 0);
  const widest = Math.max(tokens * 4 * intermediateSize, attention);
  const inLayer = tokens * hiddenSize + widest + (recompute ? layer + mergedNumbers(training) / layers : 0);
  return float * (kept + Math.max(loss, inLayer));
}

/** Rows of one length as attention sees them. */
interface Attended {
  rows: number;
  length: number;
  /** Positions of which each has keys. */
  seen: number;
  /** Keys that a query reads on the average. */
  read: number;
}

/** The groups of rows, behind their beginning, and the beginning itself. */
function attended({groups, beginning = 0}: Pick<BatchShape, 'groups' | 'beginning'>): Attended[] {
  const own = groups.map(({rows, length}) => ({
    ...{rows, length, seen: beginning + length},
    read: beginning + keysRead(length),
  }));
  return beginning === 0 ? own : [{rows: 1, length: beginning, seen: beginning, read: keysRead(beginning)}, ...own];
}

/**
 * Numbers that a layer leaves for the backward pass, for each place of its padded rows: q, k, v, the probabilities, and what
 * comes of them. Keys and values of a beginning stand before those of each row.
 */
function keptPerPlace({config}: KeptBy, {length, seen, read}: Attended): number {
  const {heads, kvHeads, headDim, scoreCap} = config;
  // Capped scores are kept beside the probabilities, and those of later positions too.
  const scores = scoreCap === null ? read : 3 * seen;
  return 2 * heads * headDim + ((length + seen) / length) * kvHeads * headDim + heads * scores;
}

/** Numbers that a layer leaves for the backward pass, for each token. */
function keptPerToken({config, sites, rank, merged, dropout}: KeptBy): number {
  const {hiddenSize, intermediateSize, heads, kvHeads, headDim} = config;
  const queries = heads * headDim;
  // The layer's input, the sum in its middle, and both after their norms; with norms behind them two more each.
  const hidden = 2 * Object.keys(config.norms).length * hiddenSize;
  // What o_proj reads; q and k before their norms.
  const attention = queries + (config.qkNorm === 'none' ? 0 : queries + kvHeads * headDim);
  // gate, up, the activation and the product; the parts of a GELU are kept one by one.
  const gated = (config.activation === 'silu' ? 4 : 8) * intermediateSize;
  const layers = config.layers.length;
  const narrow = merged ? 0 : (rank * sites.length) / layers;
  // Mask, what it leaves and what it takes away.
  const dropped = dropout ? (3 * sites.reduce((sum, {inputs}) => sum + inputs, 0)) / layers : 0;
  return hidden + attention + gated + narrow + dropped;
}

/** Numbers of the merged weights, where there are any. */
function mergedNumbers({sites, merged}: KeptBy): number {
  return merged ? sites.reduce((sum, {inputs, outputs}) => sum + inputs * outputs, 0) : 0;
}

/** What evaluations take. */
export interface EvaluationMemory {
  /** Of one trial, at most. */
  bytes: number;
  /** Compiled computations. */
  programs: number;
}

/** Bytes of a forward pass over a batch with its loss. */
export function lossBytes(config: ModelConfig, shape: BatchShape): number {
  const {tokens, targets} = shape;
  const {hiddenSize} = config;
  const attention = attended(shape).map(group => group.rows * group.length * attentionNumbers(config, group));
  const widest = attention.reduce((most, own) => Math.max(most, own), tokens * gatedNumbers(config));
  return float * (2 * (tokens + targets) * hiddenSize + widest + logitNumbers(targets, config));
}

/** Answers to these prompts, each of up to `newTokens`. */
export function generationMemory(
  config: ModelConfig,
  {prompts, newTokens, samples}: {prompts: readonly ArrayLike<number>[]; newTokens: number; samples: number},
): EvaluationMemory {
  const lengths = prompts.map(({length}) => length);
  const beginning = beginningOf(prompts);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const seats = seatsFor(config, lengths.length * samples, longest + newTokens, 1);
  const perPosition = cachedPerPosition(config);
  // A cache grows by half at least, and the one before stands beside it.
  const cached = 1.5 * perPosition * seats * (longest + newTokens);
  const texts = new Map<number, number>();
  for (const own of lengths.map(length => paddedLength(length - beginning))) texts.set(own, (texts.get(own) ?? 0) + 1);
  const reading = [...texts].map(([length, count]) => {
    const rows = Math.min(textsAtOnce(length, 1), powerOf2(count));
    const [group] = attended({groups: [{rows, length}], beginning}).slice(-1);
    const kept = (beginning + length) * perPosition;
    return rows * (kept + length * forwardPerToken(config, group!) + config.vocabSize);
  });
  const numbers = cached + Math.max(0, ...reading) + 2 * seats * config.vocabSize;
  return {bytes: float * numbers, programs: texts.size + (beginning > 0 ? 2 : 1)};
}

/** Numbers that stand side by side in the widest place of a layer's forward pass, for each token. */
function forwardPerToken(config: ModelConfig, group: Attended): number {
  return 2 * config.hiddenSize + Math.max(gatedNumbers(config), attentionNumbers(config, group));
}

/** In a gated product's forward pass, for each token; the parts of a GELU stand side by side. */
function gatedNumbers({activation, intermediateSize}: ModelConfig): number {
  return (activation === 'silu' ? 3 : 8) * intermediateSize;
}

/** In attention's forward pass, for each place. */
function attentionNumbers(
  {heads, kvHeads, headDim}: ModelConfig,
  {length, seen, read}: Pick<Attended, 'length' | 'seen' | 'read'>,
): number {
  return 2 * heads * read + (heads + (2 * kvHeads * seen) / length) * headDim;
}
