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
type ProgramKind = 'step' | 'gather' | 'update' | 'evaluate' | 'score';

/** The parameters, moments and frozen tensors of a pack, and the programs that change them. */
export class Pack {
  readonly settings: PackSettings;
  readonly adaptation: Adaptation;
  readonly #programs: Programs;
  readonly #state: State;
  readonly #stateSpecs: Record<string, TensorSpec>;
  readonly #optimizer;
  /** What a method keeps that shares ranks out; empty for others. */
  readonly #allocated: ReturnType<typeof allocationState>;
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
    const {method} = settings;
    this.#allocated = method !== 'full' && method.allocates ? allocationState(layout) : {};
    const shape = [trials, layout.size];
    const zeros = () => ({shape: [trials, layout.trained], data: new Float32Array(trials * layout.trained)});
    const values = {
      parameters: {shape, data: parameters},
      gathered: zeros(),
      ...Object.fromEntries(this.#optimizer.moments.map(name => [name, zeros()])),
      ...Object.fromEntries(
        Object.entries(this.#allocated).map(([name, {size, start}]) => [
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
    if (micro.length === 1) {
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
    const program = await this.#program('update');
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
    return this.#without('gathered', ...this.#optimizer.moments, ...Object.keys(this.#allocated));
  }

  #computation(kind: ProgramKind, shape: BatchShape): Computation {
    const {trials} = this.settings;
    const perTrial: TensorSpec = {shape: [trials], dtype: 'float32'};
    const updating: Record<string, TensorSpec> = {
      rate: perTrial,
      active: perTrial,
      corrections: {shape: [2], dtype: 'float32'},
      ...(this.#allocates ? {budget: {shape: [3], dtype: 'float32'} as const} : {}),
    };
    if (kind === 'update')
      return {
        inputs: {...updating, losses: perTrial},
        state: this.#without('start', 'shared'),
        body: tensors => {
          const gradient = tensors['gathered']!;
          return {...this.#update(tensors, tensors['losses']!, gradient), gathered: tf.zerosLike(gradient)};
        },
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

  get #allocates(): boolean {
    return Object.keys(this.#allocated).length > 0;
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
    const finite = tf.logicalAnd(tf.isFinite(tf.expandDims(losses, 1)), tf.isFinite(norm));
    const moving = tf.logicalAnd(finite, tf.greater(tf.expandDims(tensors['active']!, 1), 0));
    const keep = (after: tf.Tensor, before: tf.Tensor) => tf.where(moving, after, before);
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

/** The arrays of a batch, as feeds of a computation. */
export function feeds({shape: _, ...arrays}: PackBatch): Record<string, Values> {
  return Object.fromEntries(Object.entries(arrays).filter(([, values]) => values.length > 0));
}
