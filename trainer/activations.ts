/** What a training step keeps in memory while it runs, counted from what the macros keep (engine/fused.ts). */
import type {Evaluation} from './evaluate.ts';
import type {Site} from './method/method.ts';
import type {ModelConfig} from './model/config.ts';

/** The part of a batch that is computed at a time. */
export interface StepSize {
  /** Rows at a time, padded length, target tokens at most. */
  rows: number;
  length: number;
  targets: number;
}

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
/** Logits at a time, as in engine/fused.ts; their logarithm and their exponential stand side by side. */
const logits = 2 * (1 << 22);

/** Bytes of a step at its peak, of one trial: between forward and backward pass, or in a layer's backward pass. */
export function activationBytes(training: KeptBy, {rows, length, targets}: StepSize): number {
  const {config, recompute} = training;
  const tokens = rows * length;
  const {hiddenSize, vocabSize} = config;
  const layers = config.layers.length;
  const kept = recompute
    ? tokens * hiddenSize * layers
    : tokens * keptPerToken(training, length) * layers + mergedNumbers(training);
  const loss = Math.min(targets * vocabSize * 2, logits) + 4 * targets * hiddenSize;
  const inLayer =
    tokens * (backwardPerToken(training, length) + (recompute ? keptPerToken(training, length) : 0)) +
    (recompute ? mergedNumbers(training) / layers : 0);
  return float * (kept + Math.max(loss, inLayer));
}

/** Numbers that a layer leaves for the backward pass, for each token. */
function keptPerToken({config, sites, rank, merged, dropout}: KeptBy, length: number): number {
  const {hiddenSize, intermediateSize, heads, kvHeads, headDim} = config;
  const queries = heads * headDim;
  const keys = kvHeads * headDim;
  // The layer's input, the sum in its middle, and both after their norms; around a sandwich two more of each.
  const hidden = (config.sandwichNorms ? 8 : 4) * hiddenSize;
  // q, k and v as attention reads them; its result, as it comes and as o_proj reads it; the probabilities.
  const attention = 3 * queries + 2 * keys + heads * length + (config.qkNorm ? queries + keys : 0);
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

/** Numbers that stand side by side in the widest place of a layer's backward pass, for each token: the gated product's, or attention's. */
function backwardPerToken({config}: KeptBy, length: number): number {
  const {hiddenSize, intermediateSize, heads} = config;
  return hiddenSize + Math.max(4 * intermediateSize, 3 * heads * length);
}

/** Sequences that are generated side by side, and tokens of prompts read at once. */
const [sequencesAtOnce, tokensAtOnce] = [64, 1024];

/** Bytes that the evaluations of a trial take; each has programs of its own, which keep their memory beside training's. */
export function evaluationBytes(config: ModelConfig, evaluations: readonly Evaluation[]): number {
  const {hiddenSize, kvHeads, headDim, vocabSize} = config;
  const numbers = evaluations.map(evaluation => {
    if (evaluation.task === 'loss') {
      const {length, targets} = evaluation.source.shapes.at(-1) ?? {length: 0, targets: 0};
      const tokens = evaluation.source.rows * length;
      return (
        tokens * forwardPerToken(config, length) + Math.min(2 * targets * vocabSize, logits) + targets * hiddenSize
      );
    }
    const {prompts, maxNewTokens, choosing} = evaluation;
    const longest = prompts.reduce((most, {length}) => Math.max(most, length), 0);
    const sequences = Math.min(prompts.length * (choosing.samples ?? 1), sequencesAtOnce);
    const perPosition = 2 * kvHeads * headDim * config.layers.length;
    const reading = Math.max(longest, Math.min(tokensAtOnce, sequences * longest));
    const cached = perPosition * (sequences * (longest + maxNewTokens) + 2 * reading);
    return cached + reading * forwardPerToken(config, longest) + 2 * sequences * vocabSize;
  });
  return float * numbers.reduce((sum, own) => sum + own, 0);
}

/** Numbers that stand side by side in the widest place of a layer's forward pass, for each token: the gated product's, or attention's. */
function forwardPerToken({hiddenSize, intermediateSize, heads, kvHeads, headDim}: ModelConfig, length: number): number {
  return 2 * hiddenSize + Math.max(3 * intermediateSize, 2 * heads * length + (heads + 2 * kvHeads) * headDim);
}
