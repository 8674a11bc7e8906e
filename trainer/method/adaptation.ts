/** A model with something trained on it: the same one for training, evaluation and generation. */
import * as tf from '@tensorflow/tfjs-core';
import type {Engine} from '../engine/engine.ts';
import type {MacroOptions} from '../engine/macros.ts';
import {dropoutMask, noiseSize} from '../math/dropout.ts';
import type {ModelConfig} from '../model/config.ts';
import {type Model, type Passes, withBias} from '../model/decoder.ts';
import type {WeightIndex} from '../model/weights.ts';
import type {Form} from './form.ts';
import {wholeModel} from './full.ts';
import {bySite, type Layout, sharedLayout, tensorsBySite, trainedLayout, unpack} from './layout.ts';
import type {Method, Site} from './method.ts';

export interface AdaptationSettings {
  config: ModelConfig;
  weights: Pick<WeightIndex, 'tensors'>;
  /** `full` trains the weights of the base themselves. */
  method: Method | 'full';
  /** The adapted projections. */
  sites: Site[];
  form: Form;
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
  /** What all sites share: [trials, size]. */
  shared?: tf.Tensor;
  /** Residues for dropout masks: [trials, noiseSize]. */
  noise?: tf.Tensor;
}

export interface PassOptions extends MacroOptions {
  /** Probability with which an entry of an adapter's input is dropped. */
  dropout?: number;
}

export interface Adaptation {
  /** Of the trained tensors. */
  layout: Layout;
  /** Of the frozen tensors that all sites share. */
  shared: Layout;
  /** The start is frozen and taken out of the base. */
  residual: boolean;
  /** The model and its projections inside a computation's body. */
  passes(tensors: AdapterTensors, options: PassOptions): {model: Model; project: Passes['project']};
  /** Residues all masks of a trial need, for batches of this many tokens. */
  noiseSize(tokens: number): number;
}

export function adaptationOf(engine: Engine, settings: AdaptationSettings): Adaptation {
  const {method} = settings;
  return method === 'full' ? wholeModel(engine, settings) : adapters(engine, settings, method);
}

function adapters(engine: Engine, {config, weights, sites, form}: AdaptationSettings, method: Method): Adaptation {
  const layout = trainedLayout(sites, method, form);
  const shared = sharedLayout(sites, method, form);
  const noiseOf = (tokens: number) => sites.reduce((sum, site) => sum + noiseSize(tokens, site.inputs), 0);

  const noiseBySite = (noise: tf.Tensor): Map<string, tf.Tensor> => {
    const tokens = (noise.shape[1]! - noiseOf(0)) / (noiseSize(1, 0) * sites.length);
    const sizes = sites.map(site => noiseSize(tokens, site.inputs));
    const parts = tf.split(noise, sizes, 1);
    return new Map(sites.map((site, i) => [site.name, parts[i]!]));
  };

  return {
    layout,
    shared,
    residual: method.residual === true,
    noiseSize: noiseOf,
    passes({parameters, trained, start, shared: frozen, noise}, {dropout = 0, ...options}) {
      const macros = engine.macros(options);
      const weight: Model['weight'] = name => engine.weight(weights.tensors.get(name)!);
      const common = frozen ? (bySite(shared, unpack(shared, frozen)).get('') ?? {}) : {};
      const before = start && unpack(layout, start);
      const tensors = tensorsBySite(layout, trained ?? unpack(layout, parameters!), before, common);
      const noises = noise && noiseBySite(noise);
      const project: Passes['project'] = (site, x) => {
        const W = weight(`${site}.weight`);
        const own = tensors.get(site);
        if (!own) return withBias(config, weight, site, macros.linear(x, W));
        const part = noises?.get(site);
        if (!part) return withBias(config, weight, site, method.apply(macros, x, W, own, form));
        // Only the adapter's input is dropped (as in PEFT): what it loses still goes through the base.
        const dropped = tf.mul(x, dropoutMask(part, x.shape[1]!, x.shape[2]!, dropout));
        const lost = tf.sub(x, dropped);
        const residual = own.start && {A: own.start['A']!, B: own.start['B']!};
        const base = residual ? macros.lowRank(lost, W, residual, -form.scale) : macros.linear(lost, W);
        return withBias(config, weight, site, tf.add(base, method.apply(macros, dropped, W, own, form)));
      };
      return {model: {config, macros, weight}, project};
    },
  };
}
