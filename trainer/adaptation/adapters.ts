import * as tf from '@tensorflow/tfjs-core';
import type {Engine} from '../engine/program/engine.ts';
import {dropoutMask, noiseSize} from '../math/dropout.ts';
import type {Method} from '../method/method.ts';
import {type Model, type Passes, withBias} from '../model/decoder.ts';
import type {Adaptation, AdaptationSettings} from './adaptation.ts';
import {wholeModel} from './full.ts';
import {bySite, sharedLayout, tensorsBySite, trainedLayout, unpack} from './layout.ts';

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
      const project: Passes['project'] = (site, x, at) => {
        const W = weight(`${site}.weight`);
        const own = tensors.get(site);
        if (!own) return withBias(config, weight, site, macros.linear(x, W));
        const part = noises?.get(site);
        if (!part) return withBias(config, weight, site, method.apply(macros, x, W, own, form));
        // Only the adapter's input is dropped (as in PEFT): what it loses still goes through the base.
        const dropped = tf.mul(x, dropoutMask(part, x.shape[2]!, dropout, at));
        const lost = tf.sub(x, dropped);
        const residual = own.start && {A: own.start['A']!, B: own.start['B']!};
        const base = residual ? macros.lowRank(lost, W, residual, -form.scale) : macros.linear(lost, W);
        return withBias(config, weight, site, tf.add(base, method.apply(macros, dropped, W, own, form)));
      };
      return {model: {config, macros, weight}, project};
    },
  };
}
