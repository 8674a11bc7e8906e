/** As on macOS on Intel, for which onnxruntime has no build. */
import {expect, it, vi} from 'vitest';
import {chooseEngine} from '../../../trainer/engine/choose.ts';

vi.mock('onnxruntime-node', () => {
  throw new Error('There is no binding.');
});

const wish = {device: 'auto', precision: 'auto', stored: 'float32'} as const;

it('trains in WebAssembly where onnxruntime is not there, and says why', async () => {
  const {engine, precision, reason} = await chooseEngine({...wish, engine: 'auto'});
  expect([engine, precision]).toEqual(['wasm', 'float32']);
  expect(reason).toMatch(/^TFJS in WebAssembly, since onnxruntime cannot be loaded/);
});

it('refuses the engine that was asked for by name, with what would work', async () => {
  await expect(chooseEngine({...wish, engine: 'compiled'})).rejects.toMatchObject({
    ...{code: 'no-engine', message: expect.stringContaining('set run.engine to cpu or wasm')},
  });
});
