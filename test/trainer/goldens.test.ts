import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {openCompiled} from '../../trainer/engine/onnx/compiled.ts';
import type {Engine} from '../../trainer/engine/program/engine.ts';
import {followForward, followGeneration, followTraining} from './follow.ts';
import {engines, type GoldenRun, goldenJson} from './golden.ts';

/** With an engine of its own. */
async function on(engineName: string, work: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await engines[engineName]!();
  await work(engine);
  await engine.dispose();
}

for (const engineName of Object.keys(engines)) {
  describe(`forward pass on the ${engineName} engine`, () => {
    for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16', 'llama-sharded'])
      it(`${name}: logits agree with float64`, () => on(engineName, engine => followForward(engine, name)));
  });

  describe(`greedy generation on the ${engineName} engine`, () => {
    for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16'])
      it(`${name}: prompts of different lengths in one batch continue as alone in transformers`, () =>
        on(engineName, engine => followGeneration(engine, name)));
  });
}

describe('greedy generation on the compiled engine with packed weights', () => {
  for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16'])
    it(`${name}: prompts continue as alone in transformers`, async () => {
      const engine = openCompiled({threads: 2, packsWeights: true});
      await followGeneration(engine, name);
      await engine.dispose();
    });
});

const trained = [
  ...[
    ...['lora', 'rslora', 'pissa', 'milora', 'initab', 'dora', 'olora'],
    ...['loraga', 'vera', 'gralora', 'randlora', 'boft', 'miss', 'full'],
    ...['loha', 'hira', 'lokr', 'ia3', 'delora', 'oft', 'adalora', 'vblora'],
  ].map(method => `llama-${method}`),
  ...['qwen3', 'gemma3'].flatMap(arch => ['lora', 'pissa', 'dora'].map(method => `${arch}-${method}`)),
];

/** LoRA+, where B has a rate of its own, LoRA-FA, where A has no training, and starts and forms that compute like others here. */
const own = [
  ...['loraplus', 'doraplus', 'pissaplus', 'lorafa'],
  ...['orthogonal', 'eva', 'corda', 'cordakpm', 'lokrboth', 'oftcayley', 'loft'],
].map(method => `llama-${method}`);

const follow = (engineName: string, name: string, caseName: string, options = {}): Promise<void> =>
  on(engineName, engine => followTraining(engine, name, caseName, options));

describe('training follows PyTorch and PEFT on the compiled engine', () => {
  for (const name of [...trained, ...own])
    for (const caseName of Object.keys(goldenJson<GoldenRun>(`train/${name}.json`).cases))
      it(`${name}, ${caseName}`, () => follow('compiled', name, caseName));
  for (const name of ['llama-pissa', 'llama-dora', 'gemma3-lora', 'llama-randlora'])
    it(`${name}, low, updates beside the weights`, () => follow('compiled', name, 'low', {merged: false}));
  for (const name of trained)
    it(`${name}, high, computed again in the backward pass`, () =>
      follow('compiled', name, 'high', {merged: false, recompute: true}));
  for (const name of own)
    it(`${name}, low, three trials in a pack, computed again in the backward pass`, () =>
      follow('compiled', name, 'low', {trials: 3, merged: false, recompute: true}));
  it('llama-lora, low, merged and computed again in the backward pass', () =>
    follow('compiled', 'llama-lora', 'low', {recompute: true}));
  for (const name of ['llama-lora', 'llama-dora', 'llama-full', 'qwen3-pissa', 'gemma3-lora'])
    it(`${name}, high, rows without padding`, () => follow('compiled', name, 'high', {unpadded: true}));
  for (const name of [
    'llama-lora',
    'llama-dora',
    'llama-full',
    'llama-oft',
    'llama-vera',
    'qwen3-pissa',
    'gemma3-lora',
  ])
    it(`${name}, high, what rows begin with once`, () => follow('compiled', name, 'high', {sharing: true}));
  it('gemma3-lora, high, what rows begin with once, three trials in a pack, computed again in the backward pass', () =>
    follow('compiled', 'gemma3-lora', 'high', {sharing: true, trials: 3, merged: false, recompute: true}));
  it('qwen3-lora, high, rows without padding, three trials in a pack, computed again in the backward pass', () =>
    follow('compiled', 'qwen3-lora', 'high', {unpadded: true, trials: 3, merged: false, recompute: true}));
  for (const name of [
    'llama-pissa',
    'qwen3-dora',
    'llama-vera',
    'llama-gralora',
    'llama-randlora',
    'llama-boft',
    'llama-loha',
    'llama-hira',
    'llama-lokr',
    'llama-ia3',
    'llama-delora',
    'llama-oft',
    'llama-adalora',
    'llama-vblora',
    'llama-loft',
  ])
    it(`${name}, high, three trials in a pack`, () => follow('compiled', name, 'high', {trials: 3}));
});

describe('training follows PyTorch and PEFT on the eager cpu engine', () => {
  for (const name of trained) it(`${name}, high`, () => follow('eager cpu', name, 'high'));
  for (const name of own) it(`${name}, low`, () => follow('eager cpu', name, 'low'));
  it('llama-lora, low-accum2', () => follow('eager cpu', 'llama-lora', 'low-accum2'));
  it('gemma3-lora, high, rows without padding', () => follow('eager cpu', 'gemma3-lora', 'high', {unpadded: true}));
  it('gemma3-lora, high, what rows begin with once', () => follow('eager cpu', 'gemma3-lora', 'high', {sharing: true}));
});

describe('training follows PyTorch and PEFT on the eager wasm engine', () => {
  for (const name of ['llama-pissa', 'gemma3-dora']) it(`${name}, high`, () => follow('eager wasm', name, 'high'));
});

it.each(['eager cpu', 'compiled'])('the %s engine leaves no tensor behind', async engine => {
  const run = () => follow(engine, 'qwen3-pissa', 'low', {merged: false, recompute: true});
  await run();
  const before = tf.memory().numTensors;
  await run();
  expect(tf.memory().numTensors).toBe(before);
});
