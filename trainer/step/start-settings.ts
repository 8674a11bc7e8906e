import type {Programs} from '../engine/program/programs.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Site} from '../model/site.ts';
import type {WeightIndex} from '../model/weights.ts';
import type {TrainingSource} from './batches.ts';

export interface StartSettings {
  config: ModelConfig;
  weights: Pick<WeightIndex, 'tensors'>;
  /** Where starts that need gradients compute them. */
  programs?: Programs;
  /** Training rows by batch size, for such starts. */
  sources?: Record<number, TrainingSource>;
  /** All sites of the trial, where only some are asked for: they decide what is shared. */
  allSites?: Site[];
  sites: Site[];
  /** Power iterations of the randomised factorisation; absent = the exact one. */
  iterations?: number | undefined;
  /** A PEFT adapter folder to start from. */
  startFrom?: string | undefined;
  /** Hears what is worth a line in the log. */
  note?(message: string): void;
}

/** How the trials of a method start, as far as a worker has to be told. */
export type StartJob = Omit<StartSettings, 'config' | 'weights' | 'programs'>;
