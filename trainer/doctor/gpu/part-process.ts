/** A process of its own for one part of a GPU's examination: a driver may crash it. What it found is the last line it prints, as JSON. */
import '../../process/no-telemetry.ts';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openEngine} from '../../engine/choose.ts';
import {freeVideoMemory} from '../../engine/device/gpu.ts';
import {readyProduct} from '../../engine/measured/time-product.ts';
import type {Engine} from '../../engine/program/engine.ts';
import type {BaseModel} from '../../model/open-model.ts';
import {allocatedCores} from '../../process/allocation.ts';
import {keepDebuggerClosed} from '../../process/signals.ts';
import {measure} from '../measure.ts';
import type {Found, Speed, Told} from './examination.ts';
import {checkPacks, followReference} from './reference.ts';
import {checkHalving} from './room.ts';
import {randomModel, sizes, timePacks} from './speed.ts';

keepDebuggerClosed();

const onGpu = (): Promise<Engine> => openEngine('compiled', {threads: 1, onGpu: true});

const work: Record<Exclude<keyof Found, 'peer' | 'lost'> | 'endless', (told: Told) => Promise<unknown>> = {
  product: async () => measure(await onGpu()),
  reference: async () => followReference(await onGpu()),
  packs: async () => checkPacks(await onGpu()),
  room: async ({deviceBytes}) => checkHalving(await onGpu(), deviceBytes),
  speed: told => withModel(told, model => speed(told, model)),
  async endless() {
    const engine = await onGpu();
    const product = await readyProduct(engine, {rows: 512, in: 512, out: 512});
    for (;;) {
      await product.run();
      process.stdout.write('computed\n');
    }
  },
};

async function withModel<T>(told: Told, use: (model: BaseModel) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-doctor-'));
  try {
    return await use(randomModel(folder, sizeOf(told)));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

const sizeOf = ({isShort}: Told) => (isShort ? sizes.short : sizes.whole);

async function speed(told: Told, model: BaseModel): Promise<Speed> {
  const used = async (): Promise<number | null> => {
    if (told.software) return process.memoryUsage.rss();
    const free = await freeVideoMemory();
    return free === null ? null : -free;
  };
  const size = sizeOf(told);
  const seconds = told.isShort ? 0.2 : 2;
  const sides = told.isShort ? [1, 2] : [1, 2, 4, 8, 16, 32, 64];
  const timed = await timePacks(await onGpu(), model, size, sides, {seconds, used});
  const processor = await openEngine('compiled', {threads: allocatedCores()});
  const [alone] = await timePacks(processor, model, size, [1], {seconds, used: async () => null});
  return {timed, processor: alone!.milliseconds};
}

const [name, told] = process.argv.slice(2) as [keyof typeof work, string];
process.stdout.write(`\n${JSON.stringify(await work[name](JSON.parse(told)))}\n`);
