/** A worker thread of this project's side of the curvature benchmark. */

import {parentPort, workerData} from 'node:worker_threads';
import type {AdapterMethodName} from '../../../core/method/methods.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {trainedLayout, views} from '../../../trainer/adaptation/layout.ts';
import {type Block, blockSize, products, type Wanted} from '../../../trainer/curvature/hessian.ts';
import {Network, Segments} from '../../../trainer/curvature/network.ts';
import {weightsOf} from '../../../trainer/curvature/point.ts';
import {methodBlock} from '../../../trainer/curvature/probe.ts';
import {together} from '../../../trainer/curvature/together.ts';
import {paddedShape} from '../../../trainer/data/shapes.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {lanczos} from '../../../trainer/math/lanczos.ts';
import {random} from '../../../trainer/math/random.ts';
import {formOf, methods} from '../../../trainer/method/index.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {projections} from '../../../trainer/model/projections.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {startingParameters} from '../../../trainer/step/start.ts';
import type {PackBatch} from '../../../trainer/step/step.ts';
import type {CurvatureJob} from './curvature-job.ts';

const {model: folder, rank, samples, batch, tokens} = workerData as CurvatureJob;
const model = openFolder(folder);
const sites = sitesOf(model.config.layers.length, 'all', model.weights);
const weights = weightsOf(model.weights);

function batchOf(index: number): PackBatch {
  const first = index * batch * tokens;
  const ids = Int32Array.from({length: batch * tokens}, (_, i) => ((first + i) * 7 + 3) % model.config.vocabSize);
  const positions = Int32Array.from(ids.keys()).filter(position => (position + 1) % tokens !== 0);
  return {
    shape: paddedShape(batch, tokens, positions.length),
    ids,
    positions,
    targets: positions.map(position => ids[position + 1]!),
    weights: new Float32Array(positions.length).fill(batch / (positions.length * samples)),
    tokenAt: new Int32Array(0),
    placeOf: new Int32Array(0),
    answerAt: new Int32Array(0),
    placeOfAnswer: new Int32Array(0),
    noise: new Float32Array(0),
  };
}

const segments = new Segments(openCompiled({threads: 1}));
const batches = Array.from({length: samples / batch}, (_, index) => batchOf(index));
const network = new Network(segments, model.config, weights, batches, {remember: 2e9});

async function blockOf(method: AdapterMethodName, index: number): Promise<Block> {
  const site = sites[index]!;
  const trial: Trial = {id: '', method, rank, alpha: rank, batchSize: 1, learningRate: 1, seed: 1};
  const {parameters} = await startingParameters(trial, {...model, sites: [site]});
  const place = {
    layer: Math.floor(index / projections.length),
    projection: projections[index % projections.length]!,
    site,
  };
  return methodBlock(place, trial, [site], {
    parts: views(parameters, trainedLayout([site], methods[method], formOf(trial))).get(site.name)!,
    shared: {},
    read: weights.read,
  });
}

/** Lanczos without an end of its own, for a fixed number of iterations. */
async function probe(blocks: Block[], iterations: number): Promise<number> {
  let inProducts = 0;
  const answer = async (wanted: Wanted[]) => {
    const began = performance.now();
    const results = await products(segments, network, wanted, () => {});
    inProducts += performance.now() - began;
    return results;
  };
  const tasks = blocks.map(block => async (ask: (wanted: Wanted) => Promise<Float64Array>) => {
    const start = random(1, 'lanczos', block.site.name).normal(blockSize(block));
    await lanczos(vector => ask({block, vector}), start, {maxIterations: iterations, tolerance: 0});
  });
  for (const outcome of await together(tasks, answer)) if (outcome.status === 'rejected') throw outcome.reason;
  return inProducts;
}

parentPort!.on('message', async (job: {method: AdapterMethodName; iterations: number; sites: number[]}) => {
  const blocks = await Promise.all(job.sites.map(site => blockOf(job.method, site)));
  const began = performance.now();
  let inProducts = 0;
  for (const layer of new Set(blocks.map(block => block.layer)))
    inProducts += await probe(
      blocks.filter(block => block.layer === layer),
      job.iterations,
    );
  const all = performance.now() - began;
  let loss = 0;
  for (let index = 0; index < network.batches; index++) loss += (await network.at(index, blocks[0]!.layer)).loss;
  parentPort!.postMessage({loss, all, products: inProducts});
});
