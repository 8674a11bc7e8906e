import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, it} from 'vitest';
import type {RunEventBody} from '../../../core/run/events.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {deviceError} from '../../../trainer/engine/onnx/device-errors.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {trainJob} from '../../../trainer/run/packs.ts';
import {openSweep} from '../../../trainer/run/sweep-file.ts';
import {train} from '../../../trainer/training/train.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const file = join(folder, 'five.sweep.yaml');
writeFileSync(
  file,
  `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora]
batch_size: 4
learning_rate: [1e-3, 2e-3, 5e-3, 1e-2, 2e-2]
training: {steps: 5}
`,
);

/** As the driver of a GPU says it, through the runtime. */
const full = 'WebGPU device error(3): vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY';

/** An engine whose memory runs full in its third run with more than two trials. */
async function narrow(): Promise<Engine> {
  const engine = await openEngine('compiled', {threads: 1});
  let wide = 0;
  return {
    ...engine,
    async compile(computation) {
      const program = await engine.compile(computation);
      const trials = computation.state['parameters']!.shape[0]!;
      return {
        ...program,
        run(feeds, state) {
          if (trials > 2 && ++wide > 2) return Promise.reject(deviceError(new Error(full)));
          return program.run(feeds, state);
        },
      };
    },
  };
}

async function trained(engine: Engine, packed: boolean): Promise<{events: RunEventBody[]; checkpoints: string[]}> {
  const {sweep, prepare} = openSweep(file);
  const prepared = await prepare(1);
  const {config, weights} = prepared.model;
  const events: RunEventBody[] = [];
  const out = mkdtempSync(join(folder, 'run-'));
  const context = {
    config,
    weights,
    programs: new Programs(engine),
    worker: 0,
    emit: (event: RunEventBody) => void events.push(event),
    generated: () => {},
    stopped: () => false,
    crowded: () => false,
    decode: () => '',
    stored: async () => 0,
  };
  const trials = expandTrials(sweep);
  for (const pack of packed ? [trials] : trials.map(trial => [trial]))
    await train(trainJob(prepared, pack, out), context);
  await context.programs.dispose();
  return {events, checkpoints: readdirSync(out).includes('checkpoints') ? readdirSync(join(out, 'checkpoints')) : []};
}

/** `trial step` → loss, each step once. */
function losses(events: readonly RunEventBody[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const event of events)
    if (event.event === 'step')
      event.trials.forEach((trial, i) => {
        expect(found.has(`${trial} ${event.step}`)).toBe(false);
        found.set(`${trial} ${event.step}`, event.losses[i]!);
      });
  return found;
}

it('a pack that there is no room for goes on in halves from where it was, and gives what its trials give alone', async () => {
  const {events, checkpoints} = await trained(await narrow(), true);
  const notes = events.flatMap(event => (event.event === 'note' ? [event.message] : []));
  expect(notes).toEqual([
    'The GPU has no room for 5 trials at a time; they go on in packs of 3.',
    'The GPU has no room for 3 trials at a time; they go on in packs of 2.',
  ]);
  const continued = events.flatMap(event => (event.event === 'trial-started' && event.from ? [event.from] : []));
  expect(new Set(continued)).toEqual(new Set([2]));
  const ends = events.filter(event => event.event === 'trial-ended');
  expect(ends.map(({state, steps}) => ({state, steps}))).toEqual(Array(5).fill({state: 'finished', steps: 5}));
  expect(checkpoints).toEqual([]);

  const alone = losses((await trained(await openEngine('compiled', {threads: 1}), false)).events);
  const halved = losses(events);
  expect([...halved.keys()].sort()).toEqual([...alone.keys()].sort());
  // Another order of the same sums in float32; a loss of about 5 is known to 5e-7, and five steps carry it on.
  for (const [key, loss] of alone) expect(Math.abs(halved.get(key)! - loss)).toBeLessThan(1e-4);
});

it('one trial that there is no room for fails with what to do', () => {
  expect(deviceError(new Error(full))).toMatchObject({
    code: 'gpu-memory',
    message: expect.stringContaining('training.micro_batch'),
  });
});

it('a lost device is told as such, with the checkpoint that remains', () => {
  expect(deviceError(new Error('WebGPU device lost (2): VK_ERROR_DEVICE_LOST'))).toMatchObject({
    code: 'gpu-lost',
    message: expect.stringContaining('--resume'),
  });
});
