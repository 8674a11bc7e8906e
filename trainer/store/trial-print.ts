/** One hash over everything that moves a number of a trial: two trainings that have the same give the same numbers, byte for byte. */
import {cpus} from 'node:os';
import {plainOf} from '../../core/sweep/axes/axes.ts';
import {nameOf, orderSeedOf, type Sweep, type Trial} from '../../core/sweep/sweep.ts';
import {fingerprint, ingredientsOf} from './ingredients.ts';
import type {Surroundings} from './manifest.ts';

/** In which form a trial is computed: it moves last digits. */
export interface TrialForm {
  /** Rows of a batch that are computed at a time. */
  rows: number;
  /** Layers are computed again in the backward pass. */
  recompute: boolean;
  /** Trials that share each step. */
  lanes: number;
}

/** The table of a resumed run (`ingredients`) for the plain sweep of this one trial, and what else its numbers go by. */
export function trialPrint(sweep: Sweep, trial: Trial, around: Surroundings, form: TrialForm): string {
  const {axes: _, ...plain} = plainOf(sweep, trial);
  const settings = sweep.methods.find(one => nameOf(one) === nameOf(trial))!;
  // What it is called moves nothing, and of axes it has one value.
  const {name: __, axes: ___, ...method} = settings;
  const several = around.models?.[plain.model];
  const {engine, precision = 'float32'} = around.further?.[plain.training.precision] ?? around;
  const table = ingredientsOf(
    {...plain, methods: [method]},
    {
      model: several?.hash ?? around.modelHash,
      modelFiles: several?.files ?? around.model.files,
      files: around.dataHashes,
      modules: around.modules ?? {},
      precision,
    },
  );
  const {rank, alpha, batchSize, learningRate, seed, options, variant} = trial;
  return fingerprint({
    ...table,
    'curvature.at': plain.curvature?.at,
    trial: {
      method: trial.method,
      rank,
      alpha,
      batchSize,
      learningRate,
      seed,
      order: orderSeedOf(trial),
      options,
      variant,
    },
    form: {...form},
    engine,
    versions: around.versions,
    machine: [process.platform, process.arch, cpus()[0]?.model ?? 'unknown'],
  });
}
