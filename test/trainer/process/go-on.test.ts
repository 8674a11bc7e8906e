import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {expect, it} from 'vitest';
import {storeError} from '../../../trainer/files/write-whole.ts';
import {goesOnBy, goOn} from '../../../trainer/process/go-on.ts';

const full = () => storeError(Object.assign(new Error('no room'), {code: 'ENOSPC'}), '/run/events.jsonl').message;

it('a sentence names what goes on: --resume, or the very command of a part, in its threads too', async () => {
  expect(full()).toBe('/run/events.jsonl: the disk is full; free some space, then go on with --resume.');
  goesOnBy('lora-sweep run --task t0003 /run');
  expect(full()).toBe(
    '/run/events.jsonl: the disk is full; free some space, then go on with `lora-sweep run --task t0003 /run`.',
  );
  const code = `const {parentPort} = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../../trainer/process/go-on.ts', import.meta.url).href)})
      .then(({goOn}) => parentPort.postMessage(goOn()));`;
  const thread = new Worker(code, {eval: true});
  expect(await once(thread, 'message')).toEqual([goOn()]);
  await thread.terminate();
});
