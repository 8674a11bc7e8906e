/** A model with something trained on it: the same one for training, evaluation and generation. */
import type * as tf from '@tensorflow/tfjs-core';
import type {MacroOptions} from '../engine/macros/macros.ts';
import type {Form} from '../method/form.ts';
import type {Method} from '../method/method.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Model, Passes} from '../model/decoder.ts';
import type {Site} from '../model/site.ts';
import type {WeightIndex} from '../model/weights.ts';
import type {Layout} from './layout.ts';

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
