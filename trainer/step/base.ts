import type {Programs} from '../engine/program/programs.ts';
import type {ModelConfig} from '../model/config.ts';
import type {WeightIndex} from '../model/weights.ts';

/** The base model on a thread's engine. */
export interface BaseContext {
  config: ModelConfig;
  weights: WeightIndex;
  programs: Programs;
}
