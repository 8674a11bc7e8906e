import type {TrainingSettings} from '../../../core/sweep/sweep.ts';

/** AdamW as it is, one epoch at a constant rate, with gradients clipped to a norm of 1. */
export const plainTraining: TrainingSettings = {
  epochs: 1,
  optimizer: {name: 'adamw', betas: [0.9, 0.999], eps: 1e-8, momentum: 0},
  weightDecay: 0,
  schedule: 'constant',
  warmupRatio: 0,
  maxGradNorm: 1,
  dropout: 0,
  precision: 'auto',
  microBatch: 'auto',
  checkpoint: 'auto',
};
