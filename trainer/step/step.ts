/**
 * One optimizer step of a pack of trials as computations for an engine: loss, backward pass, clipping, optimizer,
 * each over the trials axis. Trials never mix: one that diverges is frozen by its own flag.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {TrainingSettings} from '../../core/sweep/sweep.ts';
import type {Adaptation, AdaptationSettings} from '../adaptation/adaptation.ts';
import {adaptationOf} from '../adaptation/adapters.ts';
import {joined, pack, trainedPart, unpack} from '../adaptation/layout.ts';
import type {Batch} from '../data/batch.ts';
import {type BatchShape, isAnswered, isPadded, longestOf, ownPlacesOf, placesOf, shapeName} from '../data/shapes.ts';
import type {Computation, Program, State, TensorSpec, Tensors, Values} from '../engine/program/engine.ts';
import type {Programs} from '../engine/program/programs.ts';
import type {Generative} from '../generation/generation.ts';
import {optimizerOf} from '../math/optimizer.ts';
import {causalAttention, finalNorm, head, hidden, type Model, type Passes} from '../model/decoder.ts';
import type {Batching} from '../model/places.ts';
import {allocated, allocationState, budgetAt, orthogonalityGradient} from './allocation.ts';
import {ratesOf} from './rates.ts';
import {type Turn, takenTurn, turnAt, turnsState} from './turns.ts';

/** What the trials of a pack have in common. */
export interface PackSettings extends AdaptationSettings {
  training: TrainingSettings;
  /** Low-rank updates merged into the weights at each step, rather than beside them. */
  merged: boolean;
  /** Of the whole training, along which AdaLoRA's budget falls. */
  steps?: number;
  /** One hidden state a layer is kept for the backward pass, which computes the others again. */
  recompute?: boolean;
}

/** The batches of all trials of a pack, one trial after another; a target weighs 1 / (target tokens of the trial's whole batch). */
export interface PackBatch extends Batch {
  shape: BatchShape;
  /** [trials · noise], residues for dropout; empty without. */
  noise: Float32Array;
}

export interface StepResult {
  /** Token mean of each trial's whole batch, before the update. */
  losses: Float32Array;
  /** Before clipping. */
  gradNorms: Float32Array;
}

/** The tensors of a batch, as inputs of a computation. */
export function batchInputs(trials: number, shape: BatchShape): Record<string, TensorSpec> {
  const {tokens, targets} = shape;
  const integers = (count: number): TensorSpec => ({shape: [trials * count], dtype: 'int32'});
  return {
    ids: integers(tokens),
    targets: integers(targets),
    positions: integers(targets),
    weights: {shape: [trials * targets], dtype: 'float32'},
    ...(isPadded(shape) ? {} : {tokenAt: integers(placesOf(shape)), placeOf: integers(tokens)}),
    ...(isAnswered(shape) ? {answerAt: integers(ownPlacesOf(shape)), placeOfAnswer: integers(targets)} : {}),
  };
}

/** Σ weights · cross-entropy of each trial: [trials]. */
export function lossesOf(
  model: Model,
  trials: number,
  shape: BatchShape,
  tensors: Tensors,
  project: Passes['project'],
) {
  const losses = targetLosses(model, trials, shape, tensors, project);
  return tf.sum(tf.reshape(losses, [trials, -1]), 1);
}

/** weights · cross-entropy of each target: [trials · targets]. */
export function targetLosses(
  model: Model,
  trials: number,
  shape: BatchShape,
  tensors: Tensors,
  project: Passes['project'],
) {
  const {ids, targets, positions, weights} = tensors;
  const {macros, config} = model;
  const batching = batchingOf(trials, shape, tensors);
  const x = hidden(model, ids!, batching, {project, attend: causalAttention(model, longestOf(shape))});
  const flat = tf.reshape(x, [-1, config.hiddenSize]);
  const answers = finalNorm(model, batching.answers ? flat : macros.rows(flat, positions!));
  return tf.mul(macros.crossEntropy(answers, head(model), targets!, config.logitCap), weights!);
}

/** How the model is to take a batch of this shape; where nothing is fed about its answers, they are not told apart. */
export function batchingOf(
  trials: number,
  {groups, tokens, targets, beginning}: BatchShape,
  {tokenAt, placeOf, positions, answerAt, placeOfAnswer}: Tensors,
): Batching {
  return {
    ...{trials, groups},
    ...(beginning !== undefined && {beginning}),
    ...(tokenAt && placeOf && {unpadded: {tokens, tokenAt, placeOf}}),
    ...(answerAt && placeOfAnswer && {answers: {count: targets, positions: positions!, answerAt, placeOfAnswer}}),
  };
}

/** What the trials of a pack start from. */
export interface PackStart {
  /** [trials · size] in the adaptation's layout. */
  parameters: Float32Array;
  /** What the sites share: [trials · shared size]; absent where the method has nothing of the kind. */
  shared?: Float32Array;
}

/** What a pack computes on a batch: an update or parts of one, the loss, or that of each target. */
type ProgramKind = 'step' | 'gather' | 'update' | `update ${Turn}` | 'evaluate' | 'score';

/** The parameters, moments and frozen tensors of a pack, and the programs that change them. */
export class Pack {
  readonly settings: PackSettings;
  readonly adaptation: Adaptation;
  readonly #programs: Programs;
  readonly #state: State;
  readonly #stateSpecs: Record<string, TensorSpec>;
  readonly #optimizer;
  /** Moments, each as large as what is trained. */
  readonly #moments: readonly string[];
  /** What a method keeps that shares ranks out, or whose factors take turns; empty for others. */
  readonly #kept: ReturnType<typeof allocationState>;
  /** Updates done so far. */
  count = 0;

  constructor(programs: Programs, settings: PackSettings, {parameters, shared}: PackStart) {
    const {trials, training} = settings;
    const {engine} = programs;
    this.#programs = programs;
    this.settings = settings;
    this.adaptation = adaptationOf(engine, settings);
    const {layout} = this.adaptation;
    this.#optimizer = optimizerOf(training.optimizer, training.weightDecay, layout.decayed);
    this.#moments = this.#alternates ? [] : this.#optimizer.moments;
    this.#kept = this.#allocates ? allocationState(layout) : this.#alternates ? turnsState(layout, settings.form) : {};
    const shape = [trials, layout.size];
    const zeros = () => ({shape: [trials, layout.trained], data: new Float32Array(trials * layout.trained)});
    const values = {
      parameters: {shape, data: parameters},
      gathered: zeros(),
      ...Object.fromEntries(this.#moments.map(name => [name, zeros()])),
      ...Object.fromEntries(
        Object.entries(this.#kept).map(([name, {size, start}]) => [
          name,
          {shape: [trials, size], data: new Float32Array(trials * size).fill(start)},
        ]),
      ),
      ...(this.adaptation.residual ? {start: {shape, data: parameters}} : {}),
      ...(shared ? {shared: {shape: [trials, this.adaptation.shared.size], data: shared}} : {}),
    };
    this.#state = engine.state(values);
    this.#stateSpecs = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, {shape: value.shape, dtype: 'float32' as const}]),
    );
  }

  /** The trained tensors: [trials · size]. */
  async parameters(): Promise<Float32Array> {
    return this.#state.read('parameters');
  }

  /** What the sites share: [trials · shared size]; undefined where the method has nothing of the kind. */
  async shared(): Promise<Float32Array | undefined> {
    return 'shared' in this.#stateSpecs ? this.#state.read('shared') : undefined;
  }

  /** Parameters, moments and frozen starts, for a checkpoint; what the sites share is made anew from its seed. */
  async snapshot(): Promise<Record<string, Float32Array>> {
    const names = Object.keys(this.#without('gathered', 'shared'));
    return Object.fromEntries(
      await Promise.all(names.map(async name => [name, await this.#state.read(name)] as const)),
    );
  }

  /** Goes back to a snapshot taken after `count` updates. */
  restore(count: number, snapshot: Record<string, Float32Array>): void {
    this.count = count;
    for (const [name, data] of Object.entries(snapshot)) this.#state.write(name, data);
  }

  /** The adapted model for generation, with the parameters of now. */
  async generative(): Promise<Generative> {
    const {config, trials} = this.settings;
    const names = Object.keys(this.#reading());
    const feeds = await Promise.all(names.map(async name => [name, await this.#state.read(name)] as const));
    return {
      config,
      trials,
      inputs: this.#reading(),
      feeds: Object.fromEntries(feeds),
      passes: tensors => this.adaptation.passes(tensors, {merged: false}),
    };
  }

  /**
   * One update from the micro-batches of one batch. `rates` and `active` have one entry a trial; inactive trials and
   * those whose loss or gradient is not finite keep their parameters.
   */
  async step(micro: PackBatch[], rates: Float32Array, active: Float32Array): Promise<StepResult> {
    const [beta1, beta2] = this.settings.training.optimizer.betas;
    const count = this.count + 1;
    const update = {
      rate: rates,
      active,
      corrections: Float32Array.of(1 - beta1 ** count, 1 - beta2 ** count),
      ...(this.#allocates ? {budget: this.#budget()} : {}),
    };
    // Whose factors take turns has two updates, which need the same passes.
    if (micro.length === 1 && !this.#alternates) {
      const program = await this.#program('step', micro[0]!.shape);
      const {losses, gradNorms} = await program.run({...feeds(micro[0]!), ...update}, this.#state);
      this.count = count;
      return {losses: Float32Array.from(losses!), gradNorms: Float32Array.from(gradNorms!)};
    }
    const losses = new Float32Array(this.settings.trials);
    for (const batch of micro) {
      const program = await this.#program('gather', batch.shape);
      const part = await program.run(feeds(batch), this.#state);
      for (let trial = 0; trial < losses.length; trial++) losses[trial]! += part['losses']![trial]!;
    }
    const program = await this.#program(this.#alternates ? `update ${turnAt(this.count)}` : 'update');
    const {gradNorms} = await program.run({...update, losses}, this.#state);
    this.count = count;
    return {losses, gradNorms: Float32Array.from(gradNorms!)};
  }

  /** Σ weights · cross-entropy of each trial, without dropout. */
  async evaluate(batch: PackBatch): Promise<Float32Array> {
    const program = await this.#program('evaluate', batch.shape);
    const {losses} = await program.run(feeds(batch), this.#state);
    return Float32Array.from(losses!);
  }

  /** weights · cross-entropy of each target, without dropout: [trials · targets]. */
  async score(batch: PackBatch): Promise<Float32Array> {
    const program = await this.#program('score', batch.shape);
    const {losses} = await program.run(feeds(batch), this.#state);
    return Float32Array.from(losses!);
  }

  dispose(): void {
    this.#state.dispose();
  }

  /** Residues that the dropout masks of a batch need for each trial. */
  noiseSize({tokens}: BatchShape): number {
    const {dropout} = this.settings.training;
    return dropout === 0 ? 0 : this.adaptation.noiseSize(tokens);
  }

  #program(kind: ProgramKind, shape?: BatchShape): Promise<Program> {
    return this.#programs.get(shape ? `${kind} ${shapeName(shape)}` : kind, () => this.#computation(kind, shape!));
  }

  /** What the forward pass reads. */
  #reading(): Record<string, TensorSpec> {
    return this.#without('gathered', ...this.#moments, ...Object.keys(this.#kept));
  }

  #computation(kind: ProgramKind, shape: BatchShape): Computation {
    const {trials} = this.settings;
    const perTrial: TensorSpec = {shape: [trials], dtype: 'float32'};
    const updating = this.#updating();
    if (kind === 'update' || kind === 'update A' || kind === 'update B')
      return {
        inputs: {...updating, losses: perTrial},
        state: this.#without('start', 'shared'),
        // Inverses and sums with cancellation, which bfloat16 would leave nothing of.
        ...(kind !== 'update' && {exact: true}),
        body: tensors => this.#gatheredUpdate(kind, tensors),
      };
    const trains = kind !== 'evaluate' && kind !== 'score';
    const noise: TensorSpec = {shape: [trials, this.noiseSize(shape)], dtype: 'float32'};
    const inputs = {...batchInputs(trials, shape), ...(trains && noise.shape[1]! > 0 ? {noise} : {})};
    if (!trains)
      return {
        inputs,
        state: this.#reading(),
        body: tensors => {
          const {model, project} = this.adaptation.passes(tensors, this.settings);
          return {losses: (kind === 'score' ? targetLosses : lossesOf)(model, trials, shape, tensors, project)};
        },
      };
    if (kind === 'gather')
      return {
        inputs,
        state: {...this.#reading(), gathered: this.#stateSpecs['gathered']!},
        body: tensors => {
          const {losses, gradient} = this.#gradient(shape, tensors);
          return {losses, gathered: tf.add(tensors['gathered']!, gradient)};
        },
      };
    return {
      inputs: {...inputs, ...updating},
      state: this.#without('gathered'),
      body: tensors => {
        const {losses, gradient} = this.#gradient(shape, tensors);
        return {losses, ...this.#update(tensors, losses, gradient)};
      },
    };
  }

  /** What an update is told beside the gradient. */
  #updating(): Record<string, TensorSpec> {
    const perTrial: TensorSpec = {shape: [this.settings.trials], dtype: 'float32'};
    return {
      rate: perTrial,
      active: perTrial,
      corrections: {shape: [2], dtype: 'float32'},
      ...(this.#allocates ? {budget: {shape: [3], dtype: 'float32'} as const} : {}),
    };
  }

  /** From what was gathered, which begins anew. */
  #gatheredUpdate(kind: 'update' | `update ${Turn}`, tensors: Tensors): Tensors {
    const {gathered: gradient, losses} = tensors;
    const after =
      kind === 'update'
        ? this.#update(tensors, losses!, gradient!)
        : this.#turn(kind === 'update A' ? 'A' : 'B', tensors, losses!, gradient!);
    return {...after, gathered: tf.zerosLike(gradient!)};
  }

  get #allocates(): boolean {
    const {method} = this.settings;
    return method !== 'full' && method.allocates === true;
  }

  get #alternates(): boolean {
    const {method} = this.settings;
    return method !== 'full' && method.alternates === true;
  }

  /** What is dropped after the step to come. */
  #budget(): Float32Array {
    const {form, sites, steps} = this.settings;
    if (steps === undefined) throw new Error('A budget falls along a training whose length is known.');
    const {smoothed, dropped, held} = budgetAt(this.count, steps, sites.length, form);
    return Float32Array.of(smoothed, dropped, held);
  }

  #without(...names: string[]): Record<string, TensorSpec> {
    return Object.fromEntries(Object.entries(this.#stateSpecs).filter(([name]) => !names.includes(name)));
  }

  #gradient(shape: BatchShape, tensors: Tensors): {losses: tf.Tensor; gradient: tf.Tensor} {
    const {trials, training} = this.settings;
    const {layout} = this.adaptation;
    const {merged, recompute = false} = this.settings;
    const all = unpack(layout, tensors['parameters']!);
    const count = layout.pieces.filter(({offset}) => offset < layout.trained).length;
    const lossOf = (...own: tf.Tensor[]) => {
      const trained = [...own, ...all.slice(count)];
      const options = {merged, recompute, dropout: training.dropout};
      const {model, project} = this.adaptation.passes({...tensors, trained}, options);
      return lossesOf(model, trials, shape, tensors, project);
    };
    const {value, grads} = tf.valueAndGrads(lossOf)(all.slice(0, count), tf.ones([trials]));
    return {losses: value, gradient: pack(grads)};
  }

  /** The factors' own update in turns; what trials that do not move had stays. */
  #turn(turn: Turn, tensors: Tensors, losses: tf.Tensor, gradient: tf.Tensor): Tensors {
    const {norm, after} = takenTurn(this.adaptation.layout, turn, this.settings, {...tensors, gradient});
    // The gradient of the factor whose turn it is not enters its moments alone.
    const keep = keeping(tensors, [losses, norm, tf.sum(tf.square(gradient), 1)]);
    const kept = Object.entries(after).map(([name, one]) => [name, keep(one, tensors[name]!)]);
    return {gradNorms: tf.reshape(norm, [-1]), ...Object.fromEntries(kept)};
  }

  /** Clips by the norm over all trained parameters of a trial, updates, and keeps the old values of frozen trials. */
  #update(tensors: Tensors, losses: tf.Tensor, ofLoss: tf.Tensor): Tensors {
    const {form, training} = this.settings;
    const {maxGradNorm} = training;
    const gradient = this.#allocates
      ? tf.add(
          ofLoss,
          orthogonalityGradient(this.adaptation.layout, tensors['parameters']!, form.options['orth_reg_weight']!),
        )
      : ofLoss;
    const norm = tf.sqrt(tf.sum(tf.square(gradient), 1, true));
    const clipped =
      maxGradNorm !== 'off' && maxGradNorm > 0
        ? tf.mul(gradient, tf.minimum(tf.div(maxGradNorm, tf.add(norm, 1e-6)), 1))
        : gradient;
    const {layout} = this.adaptation;
    const [parameters, frozen] = trainedPart(layout, tensors['parameters']!);
    const rate = ratesOf(tf.expandDims(tensors['rate']!, 1), layout, form);
    const updated = this.#optimizer.update(parameters, clipped, tensors, rate, tensors['corrections']!);
    const keep = keeping(tensors, [losses, norm]);
    const moments = Object.entries(updated.moments).map(
      ([name, moment]) => [name, keep(moment, tensors[name]!)] as const,
    );
    const {parameters: after, ...shares} = this.#allocates
      ? allocated(layout, form, updated.parameters, clipped, tensors)
      : {parameters: updated.parameters};
    return {
      gradNorms: tf.reshape(norm, [-1]),
      parameters: joined(keep(after!, parameters), frozen),
      ...Object.fromEntries(moments),
      ...Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, keep(share, tensors[name]!)])),
    };
  }
}

/** What comes after a step where a trial moves and all of these numbers [trials] or [trials, 1] are finite; else what was before. */
function keeping(tensors: Tensors, numbers: readonly tf.Tensor[]): (after: tf.Tensor, before: tf.Tensor) => tf.Tensor {
  const active = tf.greater(tf.expandDims(tensors['active']!, 1), 0);
  const moving = numbers.reduce<tf.Tensor>(
    (all, one) => tf.logicalAnd(tf.isFinite(tf.reshape(one, [-1, 1])), all),
    active,
  );
  return (after, before) => tf.where(moving, after, before);
}

/** The arrays of a batch, as feeds of a computation. */
export function feeds({shape: _, ...arrays}: PackBatch): Record<string, Values> {
  return Object.fromEntries(Object.entries(arrays).filter(([, values]) => values.length > 0));
}
