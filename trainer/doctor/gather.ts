/** Looks at this machine. The network is never asked, and what may crash runs in processes of its own. */
import {accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync} from 'node:fs';
import {availableParallelism, cpus, totalmem} from 'node:os';
import {dirname, join} from 'node:path';
import {findGpu, mayHaveGpu} from '../engine/device/gpu.ts';
import {instructionSets, nvidiaGpus} from '../engine/device/processor.ts';
import {findBinding, type NativeName, narrowFault, probeBinding} from '../engine/tensorflow/binding.ts';
import {versions} from '../engine/versions.ts';
import {cacheFolder} from '../files/cache-folder.ts';
import {hubCache} from '../hub/cache.ts';
import {hasToken} from '../hub/client.ts';
import {allocatedCores, allocatedMemory, hasNoGpu} from '../process/allocation.ts';
import {noTelemetry} from '../process/no-telemetry.ts';
import {askAuto, tryEngine} from './examine.ts';
import type {Machine, Room, Tried, TriedEngine} from './machine.ts';

/** `editor`: the version of the editor that asks. */
export async function gather({work, editor}: {work: string; editor?: string | undefined}): Promise<Machine> {
  const webgpu = await usableGpu();
  // One after another: each has all cores for itself.
  const engines: Machine['engines'] = {
    compiled: await tried('compiled'),
    webgpu: 'missing' in webgpu ? {state: 'absent'} : await tried('webgpu'),
    'tfjs-node': await triedNative('tfjs-node'),
    'tfjs-node-gpu': await triedNative('tfjs-node-gpu'),
  };
  const cache = cacheFolder();
  return {
    versions: editor === undefined ? versions() : {...versions(), 'VS Code': editor},
    platform: process.platform,
    architecture: process.arch,
    processor: {model: cpus()[0]?.model.trim() || 'a processor without a name', instructions: instructionSets()},
    cores: {allotted: allocatedCores(), all: availableParallelism()},
    memory: {allotted: allocatedMemory(), all: totalmem()},
    nvidia: hasNoGpu() ? [] : await nvidiaGpus(),
    webgpu,
    engines,
    narrowFault: narrowFault('tfjs-node'),
    auto: await askAuto(),
    cache: {...roomIn(cache), bytes: bytesIn(cache)},
    work: roomIn(work),
    hub: {folder: hubCache(), models: modelsIn(hubCache()), token: hasToken()},
    telemetry: Object.entries(noTelemetry).some(([name, off]) => process.env[name] !== off),
  };
}

async function usableGpu(): Promise<Machine['webgpu']> {
  if (!mayHaveGpu()) return {missing: 'the system shows no GPU', seen: false};
  const found = await findGpu();
  if ('missing' in found) return {...found, seen: true};
  const {name, software, bytes} = found;
  return {name, software, bytes};
}

async function tried(name: TriedEngine): Promise<Tried> {
  const found = await tryEngine(name);
  return 'fault' in found ? {state: 'broken', why: found.fault} : {state: 'tried', ...found};
}

async function triedNative(name: NativeName): Promise<Tried> {
  const file = findBinding(name);
  if (file === undefined) return {state: 'absent'};
  const probed = await probeBinding(file);
  if ('fault' in probed) return {state: 'broken', why: probed.fault};
  if (name === 'tfjs-node-gpu' && !probed.gpu) return {state: 'blind'};
  const found = await tried(name);
  return found.state === 'tried' ? {...found, version: probed.version} : found;
}

/** Of a folder that may not be there yet. */
function roomIn(folder: string): Room {
  let nearest = folder;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  return {folder, free: freeIn(nearest), writable: isWritable(nearest)};
}

function freeIn(folder: string): number | null {
  try {
    const {bavail, bsize} = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of all files below a folder, links not followed. What vanishes meanwhile, or may not be read, counts nothing. */
export function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, {withFileTypes: true}).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sum + bytesIn(path);
      return sum + (entry.isFile() ? (lstatSync(path, {throwIfNoEntry: false})?.size ?? 0) : 0);
    }, 0);
  } catch {
    return 0;
  }
}

function modelsIn(folder: string): number {
  try {
    return readdirSync(folder).filter(name => name.startsWith('models--')).length;
  } catch {
    return 0;
  }
}
