/**
 * One optimizer step of a pack of trials as computations for an engine: loss, backward pass, clipping, optimizer,
 * each over the trials axis. Trials never mix: one that diverges is frozen by its own flag.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {TrainingSettings} from '../core/sweep/sweep.ts';
import type {Computation, Engine, Program, State, Tensors, TensorSpec, Values} from './engine/engine.ts';
import {dropoutMask, noiseSize} from './math/dropout.ts';
import {optimizerOf} from './math/optimizer.ts';
import {factorsBySite, type Layout, layoutOf, pack, unpack} from './method/layout.ts';
import type {Method, Site} from './method/method.ts';
import type {ModelConfig} from './model/config.ts';
import {type Batching, causalAttention, finalNorm, head, hidden, type Model, type Passes, withBias} from './model/decoder.ts';
import type {WeightIndex} from './model/weights.ts';

/** What the trials of a pack have in common. */
export interface PackSettings {
  config: ModelConfig;
  weights: WeightIndex;
  method: Method;
  sites: Site[];
  rank: number;
  scale: number;
  training: TrainingSettings;
  trials: number;
  /** Low-rank updates merged into the weights at each step, rather than beside them. */
  merged: boolean;
}

/** Rows of a micro-batch, padded length, and target tokens of each trial. */
export interface BatchShape {
  batch: number;
  length: number;
  targets: number;
}

/** The batches of all trials of a pack, one trial after another. */
export interface PackBatch {
  shape: BatchShape;
  /** [trials · batch · length] */
  ids: Int32Array;
  /** [trials · targets] */
  targets: Int32Array;
  /** [trials · targets]: rows of the flattened [trials · batch · length] whose logits predict the targets. */
  positions: Int32Array;
  /** [trials · targets]: 1 / (target tokens of the whole batch), 0 at padding. */
  weights: Float32Array;
  /** [trials · noise], residues for dropout; empty without. */
  noise: Float32Array;
}

export interface StepResult {
  /** Token mean of each trial's whole batch, before the update. */
  losses: Float32Array;
  /** Before clipping. */
  gradNorms: Float32Array;
}

const batching = (trials: number, {batch, length}: BatchShape): Batching => ({trials, rows: batch, length});

function batchInputs(trials: number, {batch, length, targets}: BatchShape): Record<string, TensorSpec> {
  return {
    ids: {shape: [trials * batch * length], dtype: 'int32'},
    targets: {shape: [trials * targets], dtype: 'int32'},
    positions: {shape: [trials * targets], dtype: 'int32'},
    weights: {shape: [trials * targets], dtype: 'float32'},
  };
}

/** Σ weights · cross-entropy of each trial: [trials]. */
function lossesOf(model: Model, shape: Batching, {ids, targets, positions, weights}: Tensors, project: Passes['project']) {
  const {trials, rows, length} = shape;
  const x = hidden(model, ids!, shape, {project, attend: causalAttention(model, shape)});
  const flat = tf.reshape(x, [trials * rows * length, model.config.hiddenSize]);
  const answers = finalNorm(model, model.macros.rows(flat, positions!));
  const losses = tf.mul(model.macros.crossEntropy(answers, head(model), targets!), weights!);
  return tf.sum(tf.reshape(losses, [trials, -1]), 1);
}

/** The parameters, moments and frozen starts of a pack, and the programs that change them. */
export class Pack {
  readonly settings: PackSettings;
  readonly layout: Layout;
  readonly #engine: Engine;
  readonly #state: State;
  readonly #stateSpecs: Record<string, TensorSpec>;
  readonly #startLayout: Layout;
  readonly #optimizer;
  readonly #programs = new Map<string, Promise<Program>>();
  /** Updates done so far. */
  count = 0;

  /** `parameters` [trials · size] as `layoutOf` orders them. */
  constructor(engine: Engine, settings: PackSettings, parameters: Float32Array) {
    const {trials, method, sites, rank, training} = settings;
    this.#engine = engine;
    this.settings = settings;
    this.layout = layoutOf(sites, rank, method);
    this.#startLayout = layoutOf(sites, rank, {magnitude: false});
    this.#optimizer = optimizerOf(training.optimizer, training.weightDecay);
    const shape = [trials, this.layout.size];
    const zeros = () => ({shape, data: new Float32Array(parameters.length)});
    const values = {
      parameters: {shape, data: parameters},
      gathered: zeros(),
      ...Object.fromEntries(this.#optimizer.moments.map(name => [name, zeros()])),
      ...(method.residual ? {start: {shape, data: parameters}} : {}),
    };
    this.#state = engine.state(values);
    this.#stateSpecs = Object.fromEntries(Object.keys(values).map(name => [name, {shape, dtype: 'float32' as const}]));
  }

  /** The trained tensors: [trials · size]. */
  async parameters(): Promise<Float32Array> {
    return this.#state.read('parameters');
  }

  /**
   * One update from the micro-batches of one batch. `rates` and `active` have one entry a trial; inactive trials and
   * those whose loss or gradient is not finite keep their parameters.
   */
  async step(micro: PackBatch[], rates: Float32Array, active: Float32Array): Promise<StepResult> {
    const [beta1, beta2] = this.settings.training.optimizer.betas;
    this.count++;
    const update = {
      rate: rates,
      active,
      corrections: Float32Array.of(1 - beta1 ** this.count, 1 - beta2 ** this.count),
    };
    if (micro.length === 1) {
      const program = await this.#program('step', micro[0]!.shape);
      const {losses, gradNorms} = await program.run({...feeds(micro[0]!), ...update}, this.#state);
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
    return {losses, gradNorms: Float32Array.from(gradNorms!)};
  }

  /** Σ weights · cross-entropy of each trial, without dropout. */
  async evaluate(batch: PackBatch): Promise<Float32Array> {
    const program = await this.#program('evaluate', batch.shape);
    const {losses} = await program.run(feeds(batch), this.#state);
    return Float32Array.from(losses!);
  }

  /** A computation of the same trials that reads their parameters, e.g. for generation. */
  async compile(computation: Omit<Computation, 'state'>): Promise<{run(feeds: Record<string, Values>): ReturnType<Program['run']>}> {
    const program = await this.#engine.compile({...computation, state: this.#reading()});
    return {run: fed => program.run(fed, this.#state)};
  }

  /** The model and its adapted projections inside a computation's body. */
  adapted(tensors: Tensors, noise?: tf.Tensor): {model: Model; project: Passes['project']} {
    const model = this.#model();
    return {model, project: this.#project(model, unpack(this.layout, tensors['parameters']!), tensors['start'], noise)};
  }

  async dispose(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).dispose();
    this.#programs.clear();
    this.#state.dispose();
  }

  #model(): Model {
    const {config, weights, merged} = this.settings;
    return {
      config,
      macros: this.#engine.macros({merged}),
      weight: name => this.#engine.weight(weights.tensors.get(name)!),
    };
  }

  #project(model: Model, trained: tf.Tensor[], start?: tf.Tensor, noise?: tf.Tensor): Passes['project'] {
    const {method, scale, training, sites} = this.settings;
    const frozen = start && {layout: this.#startLayout, tensors: unpack(this.#startLayout, start)};
    const factors = factorsBySite(this.layout, trained, frozen);
    const noises = noise && this.#noiseBySite(noise);
    const {macros, weight, config} = model;
    const inputs = new Map(sites.map(site => [site.name, site.inputs]));
    return (site, x) => {
      const W = weight(`${site}.weight`);
      const own = factors.get(site);
      if (!own) return withBias(config, weight, site, macros.linear(x, W));
      const part = noises?.get(site);
      if (!part) return withBias(config, weight, site, method.apply(macros, x, W, own, scale));
      // Only the adapter's input is dropped (as in PEFT): what it loses still goes through the base.
      const dropped = tf.mul(x, dropoutMask(part, x.shape[1]!, inputs.get(site)!, training.dropout));
      const lost = tf.sub(x, dropped);
      const base = own.start ? macros.lowRank(lost, W, own.start, -scale) : macros.linear(lost, W);
      return withBias(config, weight, site, tf.add(base, method.apply(macros, dropped, W, own, scale)));
    };
  }

  /** Residues of all masks of a batch shape. */
  noiseSize({batch, length}: BatchShape): number {
    if (this.settings.training.dropout === 0) return 0;
    return this.settings.sites.reduce((sum, site) => sum + noiseSize(batch * length, site.inputs), 0);
  }

  #noiseBySite(noise: tf.Tensor): Map<string, tf.Tensor> {
    const {sites} = this.settings;
    const perSite = (noise.shape[1]! - sites.reduce((sum, site) => sum + 2 * site.inputs, 0)) / sites.length;
    const parts = tf.split(
      noise,
      sites.map(site => perSite + 2 * site.inputs),
      1,
    );
    return new Map(sites.map((site, i) => [site.name, parts[i]!]));
  }

  #program(kind: 'step' | 'gather' | 'update' | 'evaluate', shape?: BatchShape): Promise<Program> {
    const key = `${kind} ${shape?.batch} ${shape?.length} ${shape?.targets}`;
    let program = this.#programs.get(key);
    if (program === undefined) {
      program = this.#engine.compile(this.#computation(kind, shape!));
      this.#programs.set(key, program);
    }
    return program;
  }

  #reading(): Record<string, TensorSpec> {
    const {parameters, start} = this.#stateSpecs;
    return {parameters: parameters!, ...(start ? {start} : {})};
  }

  #computation(kind: 'step' | 'gather' | 'update' | 'evaluate', shape: BatchShape): Computation {
    const {trials} = this.settings;
    const perTrial: TensorSpec = {shape: [trials], dtype: 'float32'};
    const updating: Record<string, TensorSpec> = {
      rate: perTrial,
      active: perTrial,
      corrections: {shape: [2], dtype: 'float32'},
    };
    if (kind === 'update')
      return {
        inputs: {...updating, losses: perTrial},
        state: this.#without('start'),
        body: tensors => {
          const gradient = tensors['gathered']!;
          return {...this.#update(tensors, tensors['losses']!, gradient), gathered: tf.zerosLike(gradient)};
        },
      };
    const noise: TensorSpec = {shape: [trials, this.noiseSize(shape)], dtype: 'float32'};
    const inputs = {...batchInputs(trials, shape), ...(kind !== 'evaluate' && noise.shape[1]! > 0 ? {noise} : {})};
    if (kind === 'evaluate')
      return {
        inputs,
        state: this.#reading(),
        body: tensors => {
          const {model, project} = this.adapted(tensors);
          return {losses: lossesOf(model, batching(trials, shape), tensors, project)};
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

  #without(...names: string[]): Record<string, TensorSpec> {
    return Object.fromEntries(Object.entries(this.#stateSpecs).filter(([name]) => !names.includes(name)));
  }

  #gradient(shape: BatchShape, tensors: Tensors): {losses: tf.Tensor; gradient: tf.Tensor} {
    const model = this.#model();
    const {trials} = this.settings;
    const lossOf = (...trained: tf.Tensor[]) => {
      const project = this.#project(model, trained, tensors['start'], tensors['noise']);
      return lossesOf(model, batching(trials, shape), tensors, project);
    };
    const {value, grads} = tf.valueAndGrads(lossOf)(unpack(this.layout, tensors['parameters']!), tf.ones([trials]));
    return {losses: value, gradient: pack(grads)};
  }

  /** Clips by the norm over all trained parameters of a trial, updates, and keeps the old values of frozen trials. */
  #update(tensors: Tensors, losses: tf.Tensor, gradient: tf.Tensor): Tensors {
    const {maxGradNorm} = this.settings.training;
    const norm = tf.sqrt(tf.sum(tf.square(gradient), 1, true));
    const clipped = maxGradNorm > 0 ? tf.mul(gradient, tf.minimum(tf.div(maxGradNorm, tf.add(norm, 1e-6)), 1)) : gradient;
    const parameters = tensors['parameters']!;
    const rate = tf.expandDims(tensors['rate']!, 1);
    const updated = this.#optimizer.update(parameters, clipped, tensors, rate, tensors['corrections']!);
    const finite = tf.logicalAnd(tf.isFinite(tf.expandDims(losses, 1)), tf.isFinite(norm));
    const moving = tf.logicalAnd(finite, tf.greater(tf.expandDims(tensors['active']!, 1), 0));
    const keep = (after: tf.Tensor, before: tf.Tensor) => tf.where(moving, after, before);
    const moments = Object.entries(updated.moments).map(([name, moment]) => [name, keep(moment, tensors[name]!)] as const);
    return {
      gradNorms: tf.reshape(norm, [-1]),
      parameters: keep(updated.parameters, parameters),
      ...Object.fromEntries(moments),
    };
  }
}

function feeds({ids, targets, positions, weights, noise}: PackBatch): Record<string, Values> {
  return {ids, targets, positions, weights, ...(noise.length > 0 ? {noise} : {})};
}
