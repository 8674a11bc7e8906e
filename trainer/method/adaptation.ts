/** A model with adapters on its projections: the same one for training, evaluation and generation. */
import * as tf from '@tensorflow/tfjs-core';
import type {Engine} from '../engine/engine.ts';
import type {MacroOptions} from '../engine/macros.ts';
import {dropoutMask, noiseSize} from '../math/dropout.ts';
import type {ModelConfig} from '../model/config.ts';
import {type Model, type Passes, withBias} from '../model/decoder.ts';
import type {WeightIndex} from '../model/weights.ts';
import {factorsBySite, type Layout, layoutOf, unpack} from './layout.ts';
import type {Method, Site} from './method.ts';

export interface AdaptationSettings {
  config: ModelConfig;
  weights: Pick<WeightIndex, 'tensors'>;
  method: Method;
  /** The adapted projections. */
  sites: Site[];
  rank: number;
  /** alpha / rank */
  scale: number;
  trials: number;
}

/** What a forward pass of adapted trials reads. */
export interface AdapterTensors {
  /** [trials, size]; unused where `trained` is given. */
  parameters?: tf.Tensor;
  /** The parameters unpacked, e.g. inside a gradient. */
  trained?: tf.Tensor[];
  /** The frozen start of a residual method: [trials, size]. */
  start?: tf.Tensor;
  /** Residues for dropout masks: [trials, noiseSize]. */
  noise?: tf.Tensor;
}

export class Adaptation {
  readonly settings: AdaptationSettings;
  readonly layout: Layout;
  readonly #startLayout: Layout;
  readonly #engine: Engine;

  constructor(engine: Engine, settings: AdaptationSettings) {
    this.#engine = engine;
    this.settings = settings;
    this.layout = layoutOf(settings.sites, settings.rank, settings.method);
    this.#startLayout = layoutOf(settings.sites, settings.rank, {magnitude: false});
  }

  /** The base model inside a computation's body. */
  model(options: MacroOptions): Model {
    const {config, weights} = this.settings;
    return {
      config,
      macros: this.#engine.macros(options),
      weight: name => this.#engine.weight(weights.tensors.get(name)!),
    };
  }

  /** The projections with their adapters; `dropout` is the probability with which an adapter's inputs are dropped. */
  project(model: Model, {parameters, trained, start, noise}: AdapterTensors, dropout = 0): Passes['project'] {
    const {method, scale} = this.settings;
    const {macros, weight, config} = model;
    const frozen = start && {layout: this.#startLayout, tensors: unpack(this.#startLayout, start)};
    const factors = factorsBySite(this.layout, trained ?? unpack(this.layout, parameters!), frozen);
    const noises = noise && this.#noiseBySite(noise);
    return (site, x) => {
      const W = weight(`${site}.weight`);
      const own = factors.get(site);
      if (!own) return withBias(config, weight, site, macros.linear(x, W));
      const part = noises?.get(site);
      if (!part) return withBias(config, weight, site, method.apply(macros, x, W, own, scale));
      // Only the adapter's input is dropped (as in PEFT): what it loses still goes through the base.
      const dropped = tf.mul(x, dropoutMask(part, x.shape[1]!, x.shape[2]!, dropout));
      const lost = tf.sub(x, dropped);
      const base = own.start ? macros.lowRank(lost, W, own.start, -scale) : macros.linear(lost, W);
      return withBias(config, weight, site, tf.add(base, method.apply(macros, dropped, W, own, scale)));
    };
  }

  /** Residues all masks of a trial need, for batches of this many tokens. */
  noiseSize(tokens: number): number {
    return this.settings.sites.reduce((sum, site) => sum + noiseSize(tokens, site.inputs), 0);
  }

  #noiseBySite(noise: tf.Tensor): Map<string, tf.Tensor> {
    const {sites} = this.settings;
    const tokens = (noise.shape[1]! - this.noiseSize(0)) / (noiseSize(1, 0) * sites.length);
    const parts = tf.split(
      noise,
      sites.map(site => noiseSize(tokens, site.inputs)),
      1,
    );
    return new Map(sites.map((site, i) => [site.name, parts[i]!]));
  }
}
