/** Gradients of the loss in the base's own weights, over the first batches of a training: what LoRA-GA starts from. */
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../core/error.ts';
import type {Trial} from '../core/sweep/sweep.ts';
import {packBatches} from './batches.ts';
import {shapeName} from './data/shapes.ts';
import type {Engine, Program} from './engine/engine.ts';
import type {Site} from './method/method.ts';
import {frozenProjection, type Model} from './model/decoder.ts';
import type {StartSettings} from './start.ts';
import {batchInputs, feeds, lossesOf, type PackBatch} from './step.ts';

/** By site, shaped as its weight. */
type Gradients = Map<string, Float32Array>;

/** The last ones of an engine: the sites of a trial ask for theirs one after another, and so do probes. */
const known = new WeakMap<Engine, {key: string; gradients: Promise<Gradients>}>();

/**
 * The mean, over the first `batches` batches of the trial, of the gradient of a batch's token mean in each adapted
 * weight.
 */
export function firstGradients(trial: Trial, settings: StartSettings): Promise<Gradients> {
  const {programs, sites: own, allSites: sites = own} = settings;
  const source = settings.sources?.[trial.batchSize];
  if (!programs || !source)
    throw new SweepError('bad-data', `${trial.id} starts from gradients, which need the training rows.`);
  const {engine} = programs;
  const count = trial.options?.['batches'] ?? 1;
  const key = JSON.stringify([trial.seed, trial.batchSize, count, sites.map(site => site.name)]);
  let found = known.get(engine);
  if (found?.key !== key) {
    const steps = Array.from({length: count}, (_, step) => packBatches(source, [trial], step, () => 0)).flat();
    found = {key, gradients: meanGradients(engine, {...settings, sites}, steps, count)};
    known.set(engine, found);
  }
  return found.gradients;
}

async function meanGradients(
  engine: Engine,
  {config, weights, sites}: Pick<StartSettings, 'config' | 'weights' | 'sites'>,
  batches: PackBatch[],
  count: number,
): Promise<Gradients> {
  const sums: Gradients = new Map(sites.map(site => [site.name, new Float32Array(site.outputs * site.inputs)]));
  const stored: Model['weight'] = name => engine.weight(weights.tensors.get(name)!);
  const programs = new Map<string, Program>();
  try {
    for (const batch of batches) {
      const key = shapeName(batch.shape);
      const program = programs.get(key) ?? (await engine.compile(gradientOf(engine, {config, stored, sites}, batch)));
      programs.set(key, program);
      const found = await program.run(feeds(batch));
      for (const [site, sum] of sums) {
        const values = found[site]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! / count;
      }
    }
    return sums;
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
}

function gradientOf(
  engine: Engine,
  {config, stored, sites}: {config: Model['config']; stored: Model['weight']; sites: readonly Site[]},
  {shape}: PackBatch,
): Parameters<Engine['compile']>[0] {
  return {
    inputs: batchInputs(1, shape),
    state: {},
    body(tensors) {
      const names = sites.map(site => `${site.name}.weight`);
      const loss = (...own: tf.Tensor[]) => {
        const weight: Model['weight'] = name => own[names.indexOf(name)] ?? stored(name);
        const model = {config, macros: engine.macros({merged: false}), weight};
        return lossesOf(model, 1, shape, tensors, frozenProjection(model));
      };
      const gradients = tf.grads(loss)(names.map(stored), tf.ones([1]));
      return Object.fromEntries(sites.map((site, i) => [site.name, gradients[i]!]));
    },
  };
}
