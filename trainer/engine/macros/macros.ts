/**
 * The handful of composite operations a decoder and its adapters are made of. Everything in them is plain TFJS
 * (composite.ts, any backend, differentiable twice); fused.ts has faster forms for the traced training step.
 */
import type {Tensor} from '@tensorflow/tfjs-core';

/** Which form of the operations is wanted. An engine that knows no difference may ignore it. */
export interface MacroOptions {
  /** Low-rank updates are added to the weights at each step, instead of standing beside them. */
  merged: boolean;
  /** May be differentiated twice, with nothing held constant. */
  exact?: boolean;
  /** Only checkpoints of the forward pass are kept for the backward pass. */
  recompute?: boolean;
}

export type Activation = 'silu' | 'gelu-tanh';

/** A trained low-rank pair per trial, and the frozen start that a residual method takes out of the base. */
export interface Factors {
  /** [trials, rank, in] */
  A: Tensor;
  /** [trials, out, rank] */
  B: Tensor;
  /** The pair subtracted from W, shaped as A and B. */
  start?: {A: Tensor; B: Tensor};
}

/** How q·kᵀ becomes scores: multiplied by `scale`, then c · tanh(scores / c) where there is a cap c. */
export interface Scores {
  scale: number;
  cap: number | null;
}

export interface KeysAndValues {
  k: Tensor;
  v: Tensor;
}

export interface Macros {
  /** x, marked as what is kept of the forward pass where the rest is computed again in the backward pass. */
  checkpoint(x: Tensor): Tensor;
  /** x · Wᵀ. x [trials, rows, in], W [out, in] → [trials, rows, out]. */
  linear(x: Tensor, W: Tensor): Tensor;
  /** x · (W + s·B·A - s·B₀·A₀)ᵀ */
  lowRank(x: Tensor, W: Tensor, factors: Factors, scale: number): Tensor;
  /** (magnitude / ‖V‖) ∘ (x · Vᵀ) with V = W + s·B·A, ‖V‖ per output row and held constant. magnitude [trials, out]. */
  decomposed(x: Tensor, W: Tensor, factors: Factors, magnitude: Tensor, scale: number): Tensor;
  /** x / √(mean(x²) + ε) ∘ w over the last axis; w [size]. */
  rmsNorm(x: Tensor, w: Tensor, epsilon: number): Tensor;
  /** Rotates the two halves of the last axis by angles given as cos, sin [positions, size/2]; x [rows, heads, positions, size]. */
  rotary(x: Tensor, cos: Tensor, sin: Tensor): Tensor;
  /**
   * softmax(scores + mask) · v, causal: the mask lets no position see a later one. q [rows, kvHeads, group·positions, size], k
   * and v [rows, kvHeads, seen, size], mask [group·positions, seen]: the positions are the last ones of those seen.
   */
  attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scores: Scores & {group: number}): Tensor;
  /** `rotary` of one position a sequence, each by its own row of the tables: x [sequences, heads, 1, size], row [sequences]. */
  rotaryAt(x: Tensor, cos: Tensor, sin: Tensor, row: Tensor): Tensor;
  /**
   * Attention of one new token a sequence over a cache, which its key and value join first, at the sequence's own
   * `position` [sequences]. q [sequences, heads, 1, size], k and v [sequences, kvHeads, 1, size], cache [sequences,
   * kvHeads, room, size]. A layer with a window sees the last `window` positions, the new one among them.
   */
  cached(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cache: KeysAndValues,
    position: Tensor,
    options: Scores & {window: number | null},
  ): KeysAndValues & {y: Tensor};
  /** activation(gate) ∘ up */
  gated(gate: Tensor, up: Tensor, activation: Activation): Tensor;
  /** Rows of x [rows, size] by index [count] → [count, size]. */
  rows(x: Tensor, indices: Tensor): Tensor;
  /**
   * Rows of x [rows, ...] by `from` [count] → [count, ...], where `back` [rows] says which of the results each went to. A
   * row that several results read has no gradient, nor has one that is read by nothing.
   */
  rearranged(x: Tensor, from: Tensor, back: Tensor): Tensor;
  /** -log softmax(h · Eᵀ)[target]. h [rows, size], E [vocabulary, size], targets [rows] → [rows]. The products are capped as scores are. */
  crossEntropy(h: Tensor, E: Tensor, targets: Tensor, cap: number | null): Tensor;
}
