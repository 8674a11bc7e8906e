import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {follow as followOn, trained} from './follow.ts';
import {forwardAgrees, forwardModels, generationAgrees, generationModels} from './follow-forward.ts';
import {engines, type GoldenRun, goldenJson} from './golden.ts';

const follow = async (engine: string, ...settings: [name: string, caseName: string, options?: object]) =>
  followOn(await engines[engine]!(), ...settings);

for (const [engineName, open] of Object.entries(engines)) {
  describe(`forward pass on the ${engineName} engine`, () => {
    for (const name of forwardModels)
      it(`${name}: logits agree with float64`, async () => forwardAgrees(await open(), name));
  });

  describe(`greedy generation on the ${engineName} engine`, () => {
    for (const name of generationModels)
      it(`${name}: prompts of different lengths in one batch continue as alone in transformers`, async () =>
        generationAgrees(await open(), name));
  });
}

describe('training follows PyTorch and PEFT on the compiled engine', () => {
  for (const name of trained)
    for (const caseName of Object.keys(goldenJson<GoldenRun>(`train/${name}.json`).cases))
      it(`${name}, ${caseName}`, () => follow('compiled', name, caseName));
  for (const name of ['llama-pissa', 'llama-dora', 'gemma3-lora'])
    it(`${name}, low, updates beside the weights`, () => follow('compiled', name, 'low', {merged: false}));
  for (const name of ['llama-pissa', 'qwen3-dora'])
    it(`${name}, high, three trials in a pack`, () => follow('compiled', name, 'high', {trials: 3}));
});

describe('training follows PyTorch and PEFT on the eager cpu engine', () => {
  for (const name of trained) it(`${name}, high`, () => follow('eager cpu', name, 'high'), 120_000);
  it('llama-lora, low-accum2', () => follow('eager cpu', 'llama-lora', 'low-accum2'), 120_000);
});

describe('training follows PyTorch and PEFT on the eager wasm engine', () => {
  for (const name of ['llama-pissa', 'gemma3-dora']) it(`${name}, high`, () => follow('eager wasm', name, 'high'));
});

it('engines leave no tensor behind', async () => {
  const before = tf.memory().numTensors;
  await follow('eager cpu', 'qwen3-pissa', 'low');
  expect(tf.memory().numTensors).toBe(before);
});
