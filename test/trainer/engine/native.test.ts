import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {hasBfloat16} from '../../../trainer/engine/device/processor.ts';
import {compareEngines} from '../../../trainer/engine/measured/compare.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {goldenCases} from '../curvature/golden-blocks.ts';
import {eigenvalueErrors} from '../curvature/golden-eigenvalues.ts';
import {type Bounds, followForward, followGeneration, followTraining, trained} from '../follow.ts';
import {goldenJson} from '../golden.ts';
import {furthestApart, lowRankProgram} from './low-rank-program.ts';
import {nativeBinding} from './native-binding.ts';
import {severalPrecisions} from './several-precisions.ts';

const {bounds} = goldenJson<{bounds: Record<string, Record<string, Bounds>>}>('../bfloat16/bounds.json');
/**
 * PyTorch adds up in float32 on every processor. TensorFlow does where the processor multiplies bfloat16; elsewhere it rounds each
 * sum, which moves a layer three times as far (0.096 against 0.033 of its gradient: `roundProducts` in trainer/setup).
 */
const sums = hasBfloat16() ? 1 : 3;
const boundOf = (name: string, caseName: string) =>
  Object.fromEntries(
    Object.entries(bounds[name]![caseName]!).map(([key, value]) => [key, sums * value]),
  ) as unknown as Bounds;
const inFloat32 = () => openEngine('tfjs-node', {threads: 1});
const inBfloat16 = () => openEngine('tfjs-node', {threads: 1, precision: 'bfloat16'});

const isThere = await nativeBinding();

it(isThere ? 'TensorFlow is set up here' : 'TensorFlow cannot be set up here: its engine is NOT TESTED', () => {});

// All tests of TensorFlow stand in this file, so that it is set up by one process.
if (isThere) {
  describe('TensorFlow', () => {
    describe('in float32', () => {
      for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16', 'llama-sharded'])
        it(`${name}: logits agree with float64`, async () => followForward(await inFloat32(), name));
      for (const name of ['llama', 'qwen3', 'gemma3', 'llama-bf16'])
        it(`${name}: greedy generation continues as transformers`, async () =>
          followGeneration(await inFloat32(), name));
      for (const name of ['llama-lora', 'llama-pissa', 'llama-initab', 'gemma3-pissa', 'qwen3-dora'])
        it(`${name}, high: training follows PyTorch and PEFT`, async () =>
          followTraining(await inFloat32(), name, 'high'));
      it("LoFT's turns follow its authors", async () => followTraining(await inFloat32(), 'llama-loft', 'high'));
      it('gradients add up over micro-batches', async () =>
        followTraining(await inFloat32(), 'llama-lora', 'low-accum2'));
      it('rows without padding', async () =>
        followTraining(await inFloat32(), 'gemma3-lora', 'high', {unpadded: true}));
      it('what rows begin with once', async () =>
        followTraining(await inFloat32(), 'gemma3-lora', 'high', {sharing: true, trials: 2}));
      it('three trials in a pack', async () => followTraining(await inFloat32(), 'qwen3-dora', 'high', {trials: 3}));
    });

    describe('several precisions', severalPrecisions);

    it("both engines are timed once at a model's products, and what is kept is taken as it is", async () => {
      const matrices = [
        {in: 64, out: 64, count: 8},
        {in: 64, out: 128, count: 4},
      ];
      const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-compare-'));
      const file = join(folder, 'rates.json');
      const found = await compareEngines(matrices, file);
      expect(found).not.toBeNull();
      expect(await compareEngines(matrices, file)).toEqual(found);
      const [key] = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
      writeFileSync(file, JSON.stringify({[key!]: {compiled: 7, native: 5}}));
      expect(await compareEngines(matrices, file)).toEqual({compiled: 7, native: 5});
      // Damaged: timed again.
      writeFileSync(file, '{"');
      expect(await compareEngines(matrices, file)).not.toEqual({compiled: 7, native: 5});
      rmSync(folder, {recursive: true});
    });

    it('a state keeps its values when another state or another program takes its place', async () => {
      const engine = await inFloat32();
      const changing = (change: (n: tf.Tensor) => tf.Tensor) => ({
        inputs: {},
        state: {n: {shape: [2], dtype: 'float32' as const}},
        body: ({n}: Record<string, tf.Tensor>) => ({n: change(n!)}),
      });
      const increase = await engine.compile(changing(n => tf.add(n, 1)));
      const double = await engine.compile(changing(n => tf.mul(n, 2)));
      const given = Float32Array.of(1, 2);
      const a = engine.state({n: {shape: [2], data: given}});
      const b = engine.state({n: {shape: [2], data: Float32Array.of(10, 20)}});
      given.fill(0);
      for (const [program, state] of [
        [increase, a],
        [increase, b],
        [double, a],
        [increase, a],
      ] as const)
        await program.run({}, state);
      expect([...(await a.read('n'))]).toEqual([5, 7]);
      await increase.run({}, a);
      await increase.dispose();
      expect([...(await a.read('n'))]).toEqual([6, 8]);
      b.write('n', Float32Array.of(3, 4));
      await double.run({}, b);
      a.dispose();
      expect([...(await b.read('n'))]).toEqual([6, 8]);
      await engine.dispose();
    });

    for (const [precision, engineOf, resolution] of [
      ['float32', inFloat32, 2 ** -23],
      ['bfloat16', inBfloat16, 2 ** -8],
    ] as const)
      it(`a weight and the pairs beside it, multiplied as one, give what they give one by one, in ${precision}`, async () => {
        const [ours, plain] = [await engineOf(), openCompiled({threads: 1})];
        const results = await Promise.all(
          [ours, plain].map(async engine => {
            const {computation, feeds} = lowRankProgram(engine.macros({merged: false}), 200);
            return (await engine.compile(computation)).run(feeds);
          }),
        );
        expect(furthestApart(results[0]!, results[1]!)).toBeLessThan(8 * resolution);
        await ours.dispose();
        await plain.dispose();
      });

    describe('in bfloat16', () => {
      for (const name of trained)
        for (const caseName of name.startsWith('llama') ? ['low', 'high'] : ['high'])
          it(`${name}, ${caseName}: training stays as near to float64 as PyTorch in bfloat16`, async () =>
            followTraining(await inBfloat16(), name, caseName, {bounds: boundOf(name, caseName)}));
      it('qwen3-lora, high: rows without padding too', async () =>
        followTraining(await inBfloat16(), 'qwen3-lora', 'high', {
          bounds: boundOf('qwen3-lora', 'high'),
          unpadded: true,
        }));
    });

    describe('Hessians', () => {
      const last: Record<string, string> = {
        llama: 'layers.2.v_proj',
        qwen3: 'layers.1.v_proj',
        gemma3: 'layers.2.v_proj',
      };
      for (const name of goldenCases)
        it(`${name}: extreme eigenvalues agree with the dense one, whatever the precision of training`, async () => {
          const errors = await eigenvalueErrors(await inBfloat16(), name, last[name.split('-')[0]!]!);
          for (const error of errors) expect(error).toBeLessThan(5e-4);
        });
    });
  });
}
