/** Gradients of the loss in the base's own weights, over the first rows of a training: what LoRA-GA starts from. */
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../../core/error.ts';
import {orderSeedOf, type Trial} from '../../core/sweep/sweep.ts';
import {extentOf} from '../data/batch.ts';
import {paddedShapes, shapeName} from '../data/shapes.ts';
import type {Engine, Program} from '../engine/program/engine.ts';
import {frozenProjection, type Model} from '../model/decoder.ts';
import type {Site} from '../model/site.ts';
import {packBatches, sideBySide, type TrainingSource} from './batches.ts';
import type {StartSettings} from './start-settings.ts';
import {batchInputs, feeds, lossesOf, type PackBatch} from './step.ts';

/** By site, shaped as its weight. */
type Gradients = Map<string, Float32Array>;

/** The last ones of an engine: the sites of a trial ask for theirs one after another, and so do probes. */
const known = new WeakMap<Engine, {key: string; gradients: Promise<Gradients>}>();

/** Rows that a start is made of where the file says nothing, as in the study. */
const usualRows = 32;
/** Rows of the file are computed so many at a time, each time counting as much, as in the study. */
const rowsAtOnce = 2;
/** Shapes that these are padded to, at most. */
const mostShapes = 4;

/** Whether the start of a trial is made of the first batches of its own order, not of the first rows of the file. */
export const startsFromBatches = ({options}: Pick<Trial, 'options'>): boolean => options?.['batches'] !== undefined;

/**
 * The mean, over the first `rows` rows of the file two by two or over the first `batches` batches of the trial, of the
 * gradient of their token mean in each adapted weight.
 */
export function firstGradients(trial: Trial, settings: StartSettings): Promise<Gradients> {
  const {programs, sites: own, allSites: sites = own} = settings;
  const source = settings.sources?.[trial.batchSize];
  if (!programs || !source)
    throw new SweepError('bad-data', `${trial.id} starts from gradients, which need the training rows.`);
  const {engine} = programs;
  const {rows = usualRows, batches} = trial.options ?? {};
  const which = batches === undefined ? {rows} : {batches, seed: orderSeedOf(trial), batchSize: trial.batchSize};
  const key = JSON.stringify([which, source.name, sites.map(site => site.name)]);
  let found = known.get(engine);
  if (found?.key !== key) {
    const parts = batches === undefined ? rowsOf(source, rows) : batchesOf(source, trial, batches);
    found = {key, gradients: meanGradients(engine, {...settings, sites}, parts, batches ?? parts.length)};
    known.set(engine, found);
  }
  return found.gradients;
}

function batchesOf(source: TrainingSource, trial: Trial, count: number): PackBatch[] {
  return Array.from({length: count}, (_, step) => packBatches(source, [trial], step, () => 0)).flat();
}

/** The first rows in the order of the file, weighted by the token mean of those computed together. */
function rowsOf({dataset, pad}: TrainingSource, count: number): PackBatch[] {
  const rows = Int32Array.from({length: Math.min(count, dataset.count)}, (_, row) => row);
  const parts = Array.from({length: Math.ceil(rows.length / rowsAtOnce)}, (_, part) =>
    rows.subarray(part * rowsAtOnce, (part + 1) * rowsAtOnce),
  );
  const extents = parts.map(part => extentOf(dataset, part));
  const shapes = paddedShapes(extents, rowsAtOnce, mostShapes);
  return parts.map((part, i) => {
    const batch = sideBySide({dataset, rows: rowsAtOnce, shapes, pad}, [part]);
    return {...batch, weights: batch.weights.map(weight => weight / extents[i]!.targets)};
  });
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
