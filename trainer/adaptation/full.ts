/** Training without an adapter: every weight of the base is a parameter of the trial. */
import * as tf from '@tensorflow/tfjs-core';
import type {Engine} from '../engine/program/engine.ts';
import type {ModelConfig} from '../model/config.ts';
import {frozenProjection, type Model} from '../model/decoder.ts';
import {type WeightIndex, weightShapes} from '../model/weights.ts';
import {readTensor} from '../weights/safetensors.ts';
import type {Adaptation, AdaptationSettings} from './adaptation.ts';
import {type Layout, layoutOf, unpack} from './layout.ts';

/**
 * All weights in a flat vector: those with two axes first, which weight decay applies to, then those of norms and the
 * biases, which it leaves alone, as the trainers of transformers and PyTorch's examples do.
 */
export function weightLayout(config: ModelConfig): Layout {
  const all = [...weightShapes(config)];
  const matrices = all.filter(([, shape]) => shape.length > 1);
  const vectors = all.filter(([, shape]) => shape.length <= 1);
  const entry = ([name, shape]: [string, number[]]) => [name, {weight: shape}] as const;
  return layoutOf([...matrices, ...vectors].map(entry), layoutOf(matrices.map(entry)).size);
}

/** The weights of the base as a trial's vector. */
export function weightVector(config: ModelConfig, {tensors}: Pick<WeightIndex, 'tensors'>): Float32Array {
  const {pieces, size} = weightLayout(config);
  const vector = new Float32Array(size);
  for (const {site, offset} of pieces) vector.set(readTensor(tensors.get(site)!), offset);
  return vector;
}

/** The model made of a trial's own weights. One trial a pack: nothing is shared that could be computed once. */
export function wholeModel(engine: Engine, {config}: AdaptationSettings): Adaptation {
  const layout = weightLayout(config);
  return {
    layout,
    shared: layoutOf([]),
    residual: false,
    noiseSize: () => 0,
    passes({parameters, trained}, {dropout: _, ...options}) {
      const own = trained ?? unpack(layout, parameters!);
      const weights = new Map(layout.pieces.map(({site, shape}, i) => [site, tf.reshape(own[i]!, shape)]));
      const model: Model = {config, macros: engine.macros(options), weight: name => weights.get(name)!};
      return {model, project: frozenProjection(model)};
    },
  };
}
