import {describe, expect, it} from 'vitest';
import {openEngine} from '../../trainer/engine/choose.ts';
import {goldenCases} from './curvature/golden-blocks.ts';
import {eigenvalueErrors} from './curvature/golden-eigenvalues.ts';
import {nativeBinding} from './engine/native-binding.ts';
import {type Bounds, follow, trained} from './follow.ts';
import {forwardAgrees, forwardModels, generationAgrees, generationModels} from './follow-forward.ts';
import {goldenJson} from './golden.ts';

const {bounds} = goldenJson<{bounds: Record<string, Record<string, Bounds>>}>('../bfloat16/bounds.json');
const inFloat32 = () => openEngine('tfjs-node', {threads: 1});
const inBfloat16 = () => openEngine('tfjs-node', {threads: 1, precision: 'bfloat16'});

// All tests of TensorFlow stand in this file: the first of them may have to set it up.
describe.runIf(await nativeBinding())('TensorFlow', () => {
  describe('in float32', () => {
    for (const name of forwardModels)
      it(`${name}: logits agree with float64`, async () => forwardAgrees(await inFloat32(), name));
    for (const name of generationModels)
      it(`${name}: greedy generation continues as transformers`, async () => generationAgrees(await inFloat32(), name));
    for (const name of ['llama-lora', 'llama-pissa', 'llama-initab', 'gemma3-pissa', 'qwen3-dora'])
      it(`${name}, high: training follows PyTorch and PEFT`, async () => follow(await inFloat32(), name, 'high'));
    it('gradients add up over micro-batches', async () => follow(await inFloat32(), 'llama-lora', 'low-accum2'));
    it('three trials in a pack', async () => follow(await inFloat32(), 'qwen3-dora', 'high', {trials: 3}));
  });

  describe('in bfloat16', () => {
    for (const name of trained)
      for (const caseName of name.startsWith('llama') ? ['low', 'high'] : ['high'])
        it(`${name}, ${caseName}: training stays as near to float64 as PyTorch in bfloat16`, async () =>
          follow(await inBfloat16(), name, caseName, {bounds: bounds[name]![caseName]!}));
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
