/**
 * A process of its own that tries one engine, or asks what `auto` takes: either may crash. What it found is the last line it prints, as
 * JSON.
 */
import '../process/no-telemetry.ts';
import {chooseEngine, openEngine} from '../engine/choose.ts';
import {allocatedCores} from '../process/allocation.ts';
import {keepDebuggerClosed} from '../process/signals.ts';
import type {Auto, Measured, TriedEngine} from './machine.ts';
import {measure} from './measure.ts';

keepDebuggerClosed();

async function auto(): Promise<Auto[]> {
  const found: Auto[] = [];
  for (const stored of ['float32', 'bfloat16'] as const) {
    const wish = {engine: 'auto', device: 'auto', precision: 'auto', stored} as const;
    const {engine, precision, reason} = await chooseEngine(wish);
    found.push({stored, engine, precision, reason});
  }
  return found;
}

async function tried(name: TriedEngine): Promise<Measured> {
  const onGpu = name === 'webgpu';
  return measure(await openEngine(onGpu ? 'compiled' : name, {threads: allocatedCores(), onGpu}));
}

const what = process.argv[2] as TriedEngine | 'auto';
const found = await (what === 'auto' ? auto() : tried(what));
process.stdout.write(`\n${JSON.stringify(found)}\n`);
