import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {Programs} from '../../../trainer/engine/programs.ts';
import {methods} from '../../../trainer/method/index.ts';
import {fill, layoutOf} from '../../../trainer/method/layout.ts';
import {frozenProjection} from '../../../trainer/model/decoder.ts';
import {generate} from '../../../trainer/model/generation.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {Pack} from '../../../trainer/step.ts';
import {readAdapter} from '../../../trainer/store/adapter.ts';
import {modelOn, packBatch} from '../golden.ts';
import {largestDifference, logitsOf} from './logits.ts';

const folder = fileURLToPath(new URL('../../fixtures/families/', import.meta.url));

interface Reference {
  input_ids: number[][];
  logits: number[][][];
  logits_max_abs_diff: number;
  greedy: {prompt_ids: number[]; new_ids: number[]}[];
  adapter?: {loss: number; grad_norm: number; loss_abs_diff: number; grad_norm_rel_diff: number};
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
        const model = openFolder(`${folder}${name}`);
        const adapter = readAdapter(`${folder}${name}/adapter`);
        const sites = sitesOf(model.config.layers.length, 'all', model.weights);
        expect([...adapter.factors.keys()].sort()).toEqual(sites.map(site => site.name).sort());
        const layout = layoutOf(sites, adapter.rank, methods.lora);
        const parameters = new Float32Array(layout.size);
        fill(parameters, layout, new Map([...adapter.factors].map(([site, {A, B}]) => [site, {A, B}])));
        const training = {
          epochs: 1,
          optimizer: {name: 'adamw', betas: [0.9, 0.999], eps: 1e-8, momentum: 0},
          weightDecay: 0,
          schedule: 'constant',
          warmupRatio: 0,
          maxGradNorm: 0,
          dropout: 0,
          precision: 'auto',
          microBatch: 'auto',
          checkpoint: 'auto',
        } as const;
        const {rank, scale} = adapter;
        const pack = new Pack(
          new Programs(engine),
          {
            ...model,
            method: methods.lora,
            sites,
            rank,
            scale,
            trials: 1,
            training: {...training, optimizer: {...training.optimizer, betas: [0.9, 0.999]}},
            merged: false,
          },
          parameters,
        );
        const {input_ids} = reference;
        const batch = {input_ids, attention_mask: input_ids, labels: input_ids};
        const tokens = input_ids.length * (input_ids[0]!.length - 1);
        const {losses, gradNorms} = await pack.step(
          [packBatch(batch, 1, tokens)],
          Float32Array.of(0),
          Float32Array.of(1),
        );
        expect(Math.abs(losses[0]! - loss)).toBeLessThan(slack * Math.max(loss_abs_diff, resolution * loss));
        expect(Math.abs(gradNorms[0]! / grad_norm - 1)).toBeLessThan(slack * Math.max(grad_norm_rel_diff, resolution));
        pack.dispose();
        await engine.dispose();
      });
    }
  }
});
