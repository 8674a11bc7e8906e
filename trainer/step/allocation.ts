/**
 * AdaLoRA's budget (Zhang et al. 2023, §3.2 and §3.3; PEFT's RankAllocator): how important every triplet of every projection
 * is, and which are dropped after a step. Everything over the trials axis; no trial sees another.
 */
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../../core/error.ts';
import {initialRank} from '../../core/method/each/adalora.ts';
import {type Layout, pack, unpack} from '../adaptation/layout.ts';
import type {Tensors} from '../engine/program/engine.ts';
import type {Form} from '../method/form.ts';

/** What is done after one step, for all trials alike. */
export interface Budget {
  /** 1: importance is smoothed with this step's. */
  smoothed: number;
  /** Triplets of all projections that are dropped; 0: none in this step. */
  dropped: number;
  /** 1: those dropped before stay dropped, and no others are. */
  held: number;
}

/**
 * The budget after step `step` (from 0) of `steps`, with `sites` projections: a cubic fall from init_r to rank triplets each
 * between step `tinit` and `tfinal` steps before the end.
 */
export function budgetAt(step: number, steps: number, sites: number, form: Pick<Form, 'rank' | 'options'>): Budget {
  const {tinit = 0, tfinal = 0, deltaT = 1} = form.options;
  const [first, last] = [sites * initialRank(form), sites * form.rank];
  const end = steps - tfinal;
  if (step > end) return {smoothed: 0, dropped: 0, held: 1};
  if (step <= tinit || (step < end && step % deltaT !== 0)) return {smoothed: 1, dropped: 0, held: 0};
  const left = 1 - (step - tinit) / (end - tinit);
  const dropped = first - Math.trunc((first - last) * left ** 3 + last);
  return {smoothed: step < end ? 1 : 0, dropped, held: 0};
}

/**
 * Whether a training of so many steps has any in which the budget falls.
 * @throws SweepError `bad-data`
 */
export function checkBudget(steps: number, {options}: Pick<Form, 'options'>): void {
  const {tinit = 0, tfinal = 0} = options;
  if (tinit < steps - tfinal) return;
  throw new SweepError(
    'bad-data',
    `AdaLoRA with tinit ${tinit} and tfinal ${tfinal} has no step of ${steps} in which its ranks fall; lower them, or train longer.`,
  );
}

/** What a step keeps beside parameters and moments, [trials, …]: numbers a trial, and their start. */
export function allocationState({pieces, trained}: Layout): Record<string, {size: number; start: number}> {
  return {
    sensitivity: {size: trained, start: 0},
    uncertainty: {size: trained, start: 0},
    pattern: {size: tripletsIn({pieces}), start: 1},
  };
}

const tripletsIn = ({pieces}: Pick<Layout, 'pieces'>): number =>
  pieces.reduce((sum, {part, size}) => sum + (part === 'E' ? size : 0), 0);

/** The gradient of weight·mean(‖A·Aᵀ - I‖ and ‖Bᵀ·B - I‖) over all projections, in parameters [trials, size]. */
export function orthogonalityGradient(layout: Layout, parameters: tf.Tensor, weight: number): tf.Tensor {
  const pairs = layout.pieces.filter(({part}) => part !== 'E').length;
  const regulariser = (flat: tf.Tensor) => {
    const norms = unpack(layout, flat).flatMap((tensor, i) => {
      const {part} = layout.pieces[i]!;
      if (part === 'E') return [];
      const products = part === 'A' ? tf.matMul(tensor, tensor, false, true) : tf.matMul(tensor, tensor, true, false);
      const apart = tf.sub(products, tf.eye(products.shape[1]!));
      return [tf.sqrt(tf.sum(tf.square(apart), [1, 2]))];
    });
    return tf.mul(
      norms.reduce((sum, norm) => tf.add(sum, norm)),
      weight / pairs,
    );
  };
  return tf.grad(regulariser)(parameters, tf.ones([parameters.shape[0]!]));
}

/**
 * What the state and the parameters [trials, size] are after a step with this clipped gradient: importance |θ·gradient| and
 * how much it varies are smoothed, and the least important triplets lose their entry of E.
 */
export function allocated(
  layout: Layout,
  form: Form,
  parameters: tf.Tensor,
  gradient: tf.Tensor,
  tensors: Tensors,
): Tensors {
  const {beta1 = 0.85, beta2 = 0.85} = form.options;
  const [smoothed, dropped, held] = tf.split(tensors['budget']!, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const importance = tf.abs(tf.mul(parameters, gradient));
  const mixed = (before: tf.Tensor, now: tf.Tensor, beta: number) =>
    tf.where(tf.greater(smoothed, 0), tf.add(tf.mul(before, beta), tf.mul(now, 1 - beta)), before);
  const sensitivity = mixed(tensors['sensitivity']!, importance, beta1);
  const uncertainty = mixed(tensors['uncertainty']!, tf.abs(tf.sub(importance, sensitivity)), beta2);
  const scores = tripletScores(layout, tf.mul(sensitivity, uncertainty));
  // A triplet is dropped where fewer than `dropped` of all have a lower score.
  const lower = tf.cast(tf.greater(tf.expandDims(scores, 2), tf.expandDims(scores, 1)), 'float32');
  const fresh = tf.cast(tf.greaterEqual(tf.sum(lower, 2), dropped), 'float32');
  const pattern = tensors['pattern']!;
  const kept = tf.where(tf.greater(held, 0), pattern, fresh);
  return {
    sensitivity,
    uncertainty,
    pattern: tf.where(tf.greater(dropped, 0), fresh, pattern),
    parameters: withKept(layout, parameters, kept),
  };
}

/** [trials, triplets]: of each the score of its entry of E, and the means of those of its row of A and column of B. */
function tripletScores(layout: Layout, scores: tf.Tensor): tf.Tensor {
  const bySite = new Map<string, tf.Tensor[]>();
  unpack(layout, scores).forEach((tensor, i) => {
    const {site, part} = layout.pieces[i]!;
    const own = part === 'E' ? tf.reshape(tensor, [tensor.shape[0]!, -1]) : tf.mean(tensor, part === 'A' ? 2 : 1);
    bySite.set(site, [...(bySite.get(site) ?? []), own]);
  });
  return tf.concat(
    [...bySite.values()].map(parts => parts.reduce((sum, part) => tf.add(sum, part))),
    1,
  );
}

/** The parameters with E zero where a triplet is not kept. */
function withKept(layout: Layout, parameters: tf.Tensor, kept: tf.Tensor): tf.Tensor {
  const sizes = layout.pieces.flatMap(({part, size}) => (part === 'E' ? [size] : []));
  const flags = tf.split(kept, sizes, 1);
  const all = unpack(layout, parameters).map((tensor, i) => {
    if (layout.pieces[i]!.part !== 'E') return tensor;
    const own = tf.reshape(flags.shift()!, tensor.shape);
    return tf.where(tf.greater(own, 0), tensor, tf.zerosLike(tensor));
  });
  return pack(all);
}
