import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {fill, trainedLayout, views} from '../../../trainer/adaptation/layout.ts';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {products} from '../../../trainer/curvature/hessian.ts';
import {Network, Segments} from '../../../trainer/curvature/network.ts';
import {trainedWeights, weightsOf} from '../../../trainer/curvature/point.ts';
import {methodBlock} from '../../../trainer/curvature/probe.ts';
import {plainTraining} from '../../../trainer/doctor/gpu/plain-training.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {generate} from '../../../trainer/generation/generation.ts';
import {methods} from '../../../trainer/method/index.ts';
import {frozenProjection} from '../../../trainer/model/decoder.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import type {Site} from '../../../trainer/model/site.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {Pack, type PackBatch} from '../../../trainer/step/step.ts';
import {modelOn, packBatch} from '../golden.ts';
import {largestDifference, logitsOf} from './logits.ts';

const folder = fileURLToPath(new URL('../../fixtures/families/', import.meta.url));

interface Reference {
  input_ids: number[][];
  logits: number[][][];
  logits_max_abs_diff: number;
  greedy: {prompt_ids: number[]; new_ids: number[]}[];
  adapter?: {loss: number; grad_norm: number; loss_abs_diff: number; grad_norm_rel_diff: number};
  /** AdamW from the adapter on, a batch a step. */
  training?: {
    batches: number[][][];
    rate: number;
    clip: number;
    losses: number[];
    grad_norms: number[];
    loss_abs_diff: number;
    grad_norm_rel_diff: number;
  };
  /** H·vector in A and B of layer 0's first projection, beside the adapter. */
  curvature?: {vector: number[]; product: number[]; abs_diff: number};
}

const names = [
  'llama2',
  'llama3',
  'llama-linear',
  'llama-biased',
  'qwen2',
  'mistral',
  'smollm2',
  'smollm3',
  'phi3',
  'phi3-longrope',
  'phi3-longrope-beyond',
  'gemma3-linear',
  'gemma3-multimodal',
  'phi4-mini',
  'qwen2-yarn',
  'yarn-exact',
  'gemma',
  'gemma2',
  'gemma2-uncapped',
  'olmo2',
  'olmo3',
  'granite',
  'granite4',
  'granite4-nope',
  'glm',
  'glm4',
  'exaone4',
  'exaone4-full',
  'ministral3',
  'ministral3-multimodal',
];
const references = new Map(
  names.map(name => [name, JSON.parse(readFileSync(`${folder}${name}/reference.json`, 'utf8')) as Reference]),
);

/** Another order of summation in float32 stays within this many times float32's own distance from float64. */
const slack = 10;
const resolution = 2 ** -23;

describe('families agree with transformers', () => {
  for (const [name, reference] of references) {
    it(`${name}: logits`, async () => {
      const engine = await openEngine('compiled', {threads: 1});
      const model = openFolder(`${folder}${name}`);
      const largest = largestDifference(await logitsOf(engine, model, reference.input_ids), reference.logits);
      expect(largest).toBeLessThan(slack * reference.logits_max_abs_diff);
      await engine.dispose();
    });

    if (reference.greedy.length > 0)
      it(`${name}: greedy answers`, async () => {
        const engine = await openEngine('compiled', {threads: 1});
        const model = openFolder(`${folder}${name}`);
        const passes = () => {
          const on = modelOn(engine, model);
          return {model: on, project: frozenProjection(on)};
        };
        const [answers] = await generate(
          new Programs(engine),
          {config: model.config, trials: 1, inputs: {}, feeds: {}, passes},
          reference.greedy.map(({prompt_ids}) => prompt_ids),
          {maxNewTokens: 12, eosIds: [2]},
        );
        expect(answers).toEqual(reference.greedy.map(({new_ids}) => new_ids));
        await engine.dispose();
      });

    if (reference.adapter) {
      const {loss, grad_norm, loss_abs_diff, grad_norm_rel_diff} = reference.adapter;
      it.each(['compiled', 'cpu'] as const)(`${name}: loss and gradient of a PEFT adapter, %s engine`, async kind => {
        const engine = await openEngine(kind, {threads: 1});
        const pack = packOf(engine, name, 0);
        const {losses, gradNorms} = await stepOn(pack, reference.input_ids, 0);
        expect(Math.abs(losses[0]! - loss)).toBeLessThan(slack * Math.max(loss_abs_diff, resolution * loss));
        expect(Math.abs(gradNorms[0]! / grad_norm - 1)).toBeLessThan(slack * Math.max(grad_norm_rel_diff, resolution));
        pack.dispose();
        await engine.dispose();
      });
    }

    if (reference.curvature) {
      const {vector, product, abs_diff} = reference.curvature;
      it(`${name}: product with the Hessian`, async () => {
        const engine = await openEngine('compiled', {threads: 1});
        const pack = packOf(engine, name, 0);
        const {config, weights, sites, form} = pack.settings;
        const {parameters} = (await pack.snapshot()) as {parameters: Float32Array};
        const base = weightsOf(weights);
        const point = await trainedWeights(engine, base, {...pack.settings, parameters});
        const segments = new Segments(engine);
        const batch = batchOf(reference.input_ids);
        const network = new Network(segments, config, point, [batch], {remember: 1e9});
        const [site] = sites as [Site];
        const trial = {id: '', method: 'lora', rank: form.rank, alpha: form.rank * form.scale} as const;
        const block = methodBlock(
          {layer: 0, projection: config.projections[0]!, site},
          {...trial, batchSize: 2, learningRate: 1, seed: 1},
          sites,
          {parts: views(parameters, pack.adaptation.layout).get(site.name)!, shared: {}, read: base.read},
        );
        const [found] = await products(segments, network, [{block, vector: Float64Array.from(vector)}], () => {});
        const largest = Math.max(...product.map(Math.abs));
        const bound = slack * Math.max(abs_diff, resolution * largest);
        for (const [i, value] of product.entries()) expect(Math.abs(found![i]! - value)).toBeLessThan(bound);
        pack.dispose();
        await segments.dispose();
        await engine.dispose();
      });
    }

    if (reference.training) {
      const {batches, rate, clip, losses, grad_norms, loss_abs_diff, grad_norm_rel_diff} = reference.training;
      it.each(['compiled', 'cpu'] as const)(`${name}: twelve steps of training, %s engine`, async kind => {
        const engine = await openEngine(kind, {threads: 1});
        for (const merged of kind === 'compiled' ? [false, true] : [false]) {
          const pack = packOf(engine, name, clip, merged);
          for (const [step, ids] of batches.entries()) {
            const found = await stepOn(pack, ids, rate);
            expect(Math.abs(found.losses[0]! - losses[step]!)).toBeLessThan(
              slack * Math.max(loss_abs_diff, resolution * losses[step]!),
            );
            expect(Math.abs(found.gradNorms[0]! / grad_norms[step]! - 1)).toBeLessThan(
              slack * Math.max(grad_norm_rel_diff, resolution),
            );
          }
          pack.dispose();
        }
        await engine.dispose();
      });
    }
  }
});

/** A trial that starts from the adapter beside a model. */
function packOf(engine: Engine, name: string, maxGradNorm: number, merged = false): Pack {
  const model = openFolder(`${folder}${name}`);
  const adapter = readAdapter(`${folder}${name}/adapter`);
  const sites = sitesOf(model.config.layers.length, 'all', model.weights);
  expect([...adapter.factors.keys()].sort()).toEqual(sites.map(site => site.name).sort());
  const form = {rank: adapter.rank, scale: adapter.scale, options: {}};
  const layout = trainedLayout(sites, methods.lora, form);
  const parameters = new Float32Array(layout.size);
  fill(parameters, layout, adapter.factors);
  const training = {...plainTraining, maxGradNorm};
  const settings = {...model, method: methods.lora, sites, form, trials: 1, training, merged};
  return new Pack(new Programs(engine), settings, {parameters});
}

function batchOf(ids: number[][]): PackBatch {
  return packBatch({input_ids: ids, attention_mask: ids, labels: ids}, 1, ids.length * (ids[0]!.length - 1));
}

function stepOn(pack: Pack, ids: number[][], rate: number) {
  return pack.step([batchOf(ids)], Float32Array.of(rate), Float32Array.of(1));
}
