import {Worker} from 'node:worker_threads';
import {expect, it} from 'vitest';
import {openWeights} from '../../../trainer/model/weights.ts';
import {expanded, shareExpansion} from '../../../trainer/weights/expanded.ts';
import {readTensor} from '../../../trainer/weights/safetensors.ts';
import {golden} from '../golden.ts';

const {tensors} = openWeights(golden('models/llama-bf16'));

it('weights in bfloat16 are expanded once, in memory that all threads see', async () => {
  const shared = shareExpansion(tensors.values());
  expect(shared.values.size).toBe(tensors.size);
  const stored = [...tensors.values()];
  const module = new URL('../../../trainer/weights/expanded.ts', import.meta.url).href;
  const script = `
    const {parentPort, workerData: {shared, stored}} = require('node:worker_threads');
    import('${module}').then(({expanded}) => {
      for (const tensor of stored) expanded(tensor, shared);
      parentPort.postMessage('done');
    });`;
  const threads = [0, 1].map(
    () => new Worker(script, {eval: true, workerData: {shared, stored}, execArgv: process.execArgv}),
  );
  await Promise.all(threads.map(thread => new Promise(resolve => thread.once('message', resolve))));
  // Both threads filled this thread's memory: nothing is left to read from the file.
  for (const tensor of stored) {
    const {data} = shared.values.get(`${tensor.file} ${tensor.offset}`)!;
    expect(data).toEqual(readTensor(tensor));
    expect(expanded(tensor, shared)).toBe(data);
  }
});

it('weights in float32 take no memory', () => {
  expect(shareExpansion(openWeights(golden('models/llama')).tensors.values()).values.size).toBe(0);
});
