/** A worker's share of the trials: for every message `n` it takes n turns of each, mostly of one step, and answers the sum of the last turn's first losses. */
import {parentPort, workerData} from 'node:worker_threads';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {paddedShape} from '../../../trainer/data/shapes.ts';
import {plainTraining} from '../../../trainer/doctor/gpu/plain-training.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {formOf, methods} from '../../../trainer/method/index.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {openSweep} from '../../../trainer/run/sweep-file.ts';
import {packBatches} from '../../../trainer/step/batches.ts';
import {startingParameters} from '../../../trainer/step/start.ts';
import {Pack, type PackBatch} from '../../../trainer/step/step.ts';
import type {Job} from '../peers/sizes.ts';

const {model: folder, trials, rates, batch, tokens, rank, threads, beside, recompute, native, real} = workerData as Job;
const model = openFolder(folder);
const sites = sitesOf(model.config.layers.length, 'all', model.weights);
const programs = new Programs(
  await (native ? openEngine('tfjs-node', {threads, precision: native}) : openEngine('compiled', {threads})),
);

/** The batches of a trial's turn. */
async function batchesOf(trial: Trial, place: number): Promise<PackBatch[]> {
  if (!real) return [madeBatch(place)];
  const {prepare} = openSweep(real.sweep!);
  const source = (await prepare(1)).source(batch);
  return Array.from({length: real.steps}, (_, step) => packBatches(source, [trial], step, () => 0)).flat();
}

/** Made rows; every token but a row's first is a target. */
function madeBatch(trial: number): PackBatch {
  const ids = Int32Array.from(
    {length: batch * tokens},
    (_, i) => ((trial * batch * tokens + i) * 7 + 3) % model.config.vocabSize,
  );
  const positions = Int32Array.from(ids.keys()).filter(position => (position + 1) % tokens !== 0);
  return {
    shape: paddedShape(batch, tokens, positions.length),
    ids,
    positions,
    targets: positions.map(position => ids[position + 1]!),
    weights: new Float32Array(positions.length).fill(1 / positions.length),
    tokenAt: new Int32Array(0),
    placeOf: new Int32Array(0),
    answerAt: new Int32Array(0),
    placeOfAnswer: new Int32Array(0),
    noise: new Float32Array(0),
  };
}

const packs = await Promise.all(
  trials.map(async place => {
    const trial: Trial = {
      id: `${place}`,
      method: 'lora',
      rank,
      alpha: rank,
      batchSize: batch,
      learningRate: rates[place]!,
      seed: 1,
    };
    const settings = {
      ...model,
      method: methods.lora,
      sites,
      form: formOf(trial),
      trials: 1,
      training: plainTraining,
      merged: beside !== true,
      recompute: recompute === true,
    };
    const pack = new Pack(programs, settings, await startingParameters(trial, {...model, sites}));
    return {pack, batches: await batchesOf(trial, place), rate: Float32Array.of(trial.learningRate)};
  }),
);
const active = Float32Array.of(1);

parentPort!.on('message', async (steps: number) => {
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    sum = 0;
    for (const {pack, batches, rate} of packs)
      for (const [i, one] of batches.entries()) {
        const {losses} = await pack.step([one], rate, active);
        if (i === 0) sum += losses[0]!;
      }
  }
  parentPort!.postMessage(sum);
});
