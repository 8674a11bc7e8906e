/**
 * LoFT's updates (Tastan et al. 2025, arXiv 2505.21289) as the authors' optimizer computes them: A and B take turns, with AdamW's moments
 * in the coordinates that the other factor gives. Everything over the trials axis; no trial sees another.
 *
 * Both factors are computed alike, as rows [trials, rows, rank]: B as it is, and A transposed.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {TrainingSettings} from '../../core/sweep/sweep.ts';
import {type Layout, unpack} from '../adaptation/layout.ts';
import {inverse} from '../engine/graph/inverse.ts';
import type {Tensors} from '../engine/program/engine.ts';
import type {Form} from '../method/form.ts';

export type Turn = 'A' | 'B';

/** The factor that learns in the step after `count` updates: B first, as it starts at 0. */
export const turnAt = (count: number): Turn => (count % 2 === 0 ? 'B' : 'A');

/** What a step keeps beside the parameters, [trials, …]: numbers a trial, and their start. */
export function turnsState(
  {trained}: Layout,
  {rank}: Pick<Form, 'rank'>,
): Record<string, {size: number; start: number}> {
  return {
    first: {size: trained, start: 0},
    products: {size: rank * trained, start: 0},
    seen: {size: trained, start: 0},
  };
}

/** Added to the diagonal of a factor's Gram matrix before it is inverted: that of B, where A is computed, and that of A. */
const ridge: Record<Turn, number> = {B: 1e-6, A: 1e-8};

/** One factor at all sites. */
interface Factor {
  rows: tf.Tensor[];
  gradient: tf.Tensor[];
  first: tf.Tensor[];
  /** Of the rows of gradients, smoothed outer products: [trials, rows, rank, rank]. */
  products: tf.Tensor[];
  /** The rows that the other factor's moments are relative to. */
  seen: tf.Tensor[];
}

/** The factor that another one is computed beside, as it is and as it was, and (rowsᵀ rows)⁻¹ [trials, rank, rank]. */
interface Beside {
  rows: tf.Tensor[];
  seen: tf.Tensor[];
  inverses: tf.Tensor[];
}

type Settings = Pick<TrainingSettings, 'optimizer' | 'weightDecay' | 'maxGradNorm'>;

/** A step's numbers that are alike for all sites, and whether the factor learns in it. */
interface Step extends Settings {
  eps: number;
  learns: boolean;
  /** What clipping leaves of the gradient, [trials, 1, 1]. */
  share: tf.Tensor;
  /** [trials, 1, 1] */
  rate: tf.Tensor;
  /** 1 - β₁ᵗ and 1 - β₂ᵗ. */
  corrections: [tf.Tensor, tf.Tensor];
}

/**
 * Parameters [trials, size] and state after a step with this gradient, and the norm [trials, 1] by which it was clipped: that of the full
 * gradient within the span of the factor that does not learn.
 */
export function takenTurn(
  layout: Layout,
  turn: Turn,
  {form, training}: {form: Form; training: Settings},
  tensors: Tensors & {gradient: tf.Tensor},
): {norm: tf.Tensor; after: Tensors} {
  const {rank} = form;
  const A = factorOf('A', layout, rank, tensors);
  const B = factorOf('B', layout, rank, tensors);
  const besideB = beside(B.rows, B.seen, ridge.B);
  const besideA = turn === 'B' ? beside(A.rows, A.seen, ridge.A) : undefined;
  const norm = besideA ? fullNorm(B, besideA) : fullNorm(A, besideB);
  const {maxGradNorm} = training;
  const isClipped = maxGradNorm !== 'off' && maxGradNorm > 0;
  const share = isClipped ? tf.minimum(tf.div(maxGradNorm, tf.add(norm, 1e-6)), 1) : tf.onesLike(norm);
  const step = {
    ...training,
    eps: form.options['eps']!,
    share: tf.expandDims(share, 2),
    rate: tf.reshape(tensors['rate']!, [-1, 1, 1]),
    corrections: tf.split(tensors['corrections']!, 2) as [tf.Tensor, tf.Tensor],
  };
  const nextA = after(A, besideB, {...step, learns: turn === 'A'});
  // B is computed beside A as it is after its turn.
  const now = besideA ?? beside(nextA.rows, A.seen, ridge.A);
  const nextB = after(B, now, {...step, learns: turn === 'B'});
  return {
    norm,
    after: {
      parameters: joined(layout, {A: nextA.rows.map(transposed), B: nextB.rows}),
      first: joined(layout, {A: nextA.first, B: nextB.first}),
      products: joined(layout, {A: nextA.products, B: nextB.products}),
      seen: joined(layout, {A: now.rows, B: besideB.rows}),
    },
  };
}

const transposed = (tensor: tf.Tensor): tf.Tensor => tf.transpose(tensor, [0, 2, 1]);

function factorOf(part: Turn, layout: Layout, rank: number, tensors: Tensors & {gradient: tf.Tensor}): Factor {
  const at = layout.pieces.flatMap((piece, k) => (piece.part === part ? [k] : []));
  const trained = (flat: tf.Tensor): tf.Tensor[] => {
    const all = unpack(layout, flat);
    return at.map(k => (part === 'A' ? transposed(all[k]!) : all[k]!));
  };
  /** State lies as rows. */
  const kept = (flat: tf.Tensor, ...shape: number[]): tf.Tensor[] => {
    const numbers = flat.shape[1]! / layout.size;
    const all = tf.split(
      flat,
      layout.pieces.map(({size}) => numbers * size),
      1,
    );
    return at.map(k => tf.reshape(all[k]!, [flat.shape[0]!, layout.pieces[k]!.size / rank, ...shape]));
  };
  return {
    rows: trained(tensors['parameters']!),
    gradient: trained(tensors.gradient),
    first: kept(tensors['first']!, rank),
    products: kept(tensors['products']!, rank, rank),
    seen: kept(tensors['seen']!, rank),
  };
}

/** The pieces of both factors in the layout's order, flat. */
function joined({pieces}: Layout, parts: Record<Turn, tf.Tensor[]>): tf.Tensor {
  const left = {A: [...parts.A], B: [...parts.B]};
  const all = pieces.map(({part}) => left[part as Turn].shift()!);
  return tf.concat(
    all.map(tensor => tf.reshape(tensor, [tensor.shape[0]!, -1])),
    1,
  );
}

/** Inverts the Gram matrices of all sites as one. */
function beside(rows: tf.Tensor[], seen: tf.Tensor[], added: number): Beside {
  const [trials, , rank] = rows[0]!.shape as [number, number, number];
  const grams = rows.map(one => tf.matMul(one, one, true, false));
  const raised = tf.add(tf.concat(grams, 0), tf.mul(tf.eye(rank), added));
  const inverses = tf.split(
    inverse(raised),
    rows.map(() => trials),
    0,
  );
  return {rows, seen, inverses};
}

/** The norm [trials, 1] of G·Oᵀ over all sites, with G = gradient·(OᵀO)⁻¹. */
function fullNorm({gradient}: Factor, {rows, inverses}: Beside): tf.Tensor {
  const squares = gradient.map((one, k) => {
    const G = tf.matMul(one, inverses[k]!);
    const gram = tf.matMul(rows[k]!, rows[k]!, true, false);
    return tf.sum(tf.mul(tf.matMul(G, gram), G), [1, 2]);
  });
  const sum = squares.reduce((total, square) => tf.add(total, square));
  // Rounding may leave less than nothing of nothing.
  return tf.expandDims(tf.sqrt(tf.maximum(sum, 0)), 1);
}

/** Moments of a factor turned to what stands beside it now and kept up, and its rows, which move where it learns. */
function after(factor: Factor, {rows: others, seen, inverses}: Beside, step: Step): Omit<Factor, 'gradient' | 'seen'> {
  const {optimizer, share, learns} = step;
  const [beta1, beta2] = optimizer.betas;
  const each = factor.rows.map((X, k) => {
    const [O, inverted] = [others[k]!, inverses[k]!];
    const turning = tf.matMul(tf.matMul(seen[k]!, O, true, false), inverted);
    const G = tf.matMul(tf.mul(factor.gradient[k]!, share), inverted);
    const outer = tf.mul(tf.expandDims(G, 3), tf.expandDims(G, 2));
    const first = tf.add(tf.mul(tf.matMul(factor.first[k]!, turning), beta1), tf.mul(G, 1 - beta1));
    const products = tf.add(tf.mul(turned(factor.products[k]!, turning), beta2), tf.mul(outer, 1 - beta2));
    return {rows: learns ? moved(X, {first, products, O, inverted}, step) : X, first, products};
  });
  return {
    rows: each.map(({rows}) => rows),
    first: each.map(({first}) => first),
    products: each.map(({products}) => products),
  };
}

/** T V Tᵀ of every V [trials, rows, rank, rank], which are symmetric, with T [trials, rank, rank]. */
function turned(V: tf.Tensor, T: tf.Tensor): tf.Tensor {
  const [trials, rows, rank] = V.shape as [number, number, number];
  const timesT = (matrices: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.matMul(tf.reshape(matrices, [trials, rows * rank, rank]), T, false, true), V.shape);
  return timesT(tf.transpose(timesT(V), [0, 1, 3, 2]));
}

/** AdamW's update of the whole weight within the span of O, as one of X. */
function moved(
  X: tf.Tensor,
  {first, products, O, inverted}: {first: tf.Tensor; products: tf.Tensor; O: tf.Tensor; inverted: tf.Tensor},
  {rate, corrections, eps, weightDecay}: Step,
): tf.Tensor {
  const [trials, rows, rank] = X.shape as [number, number, number];
  const [correction1, correction2] = corrections;
  // o V oᵀ for every row o of O: its own outer product with V, number by number.
  const pairs = tf.reshape(tf.mul(tf.expandDims(O, 3), tf.expandDims(O, 2)), [trials, -1, rank * rank]);
  const second = tf.maximum(tf.matMul(tf.reshape(products, [trials, rows, rank * rank]), pairs, false, true), 0);
  const root = tf.div(tf.sqrt(second), tf.sqrt(correction2));
  const direction = tf.div(tf.matMul(first, O, false, true), tf.add(root, eps));
  const update = tf.matMul(tf.matMul(direction, O), inverted);
  const before = weightDecay === 0 ? X : tf.mul(X, tf.sub(1, tf.mul(rate, weightDecay)));
  return tf.sub(before, tf.mul(update, tf.div(rate, correction1)));
}
