/**
 * Which GPU the compiled engine would run on. A process of its own tries it: a driver that crashes ends that one only,
 * and what drivers print does not reach the terminal.
 */
import {execFile} from 'node:child_process';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {freemem} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {allocatedMemory, allottedGpu, hasNoGpu} from '../../process/allocation.ts';
import {endAfter} from '../../process/own-time.ts';

export interface Gpu {
  name: string;
  /** A processor playing a GPU: right, and slow. */
  software: boolean;
  /** Memory a run may count on. */
  bytes: number;
  /** How the memory is known. */
  memory: 'device' | 'machine' | 'guess';
  /** Times as fast as this machine's CPU at a large product of matrices. */
  speedup: number;
}

/** What the trying process says on its last line. */
export interface Trial {
  /** Milliseconds of the product. */
  gpu: number;
  cpu: number;
  /** Largest difference between the two, relative to the largest value. */
  difference: number;
}

/** This file's neighbour, as source or as built. */
const trying = new URL(import.meta.url.endsWith('.ts') ? './try-gpu.ts' : './try-gpu.js', import.meta.url);
/** Of the trying process, and of the driver's own program, in seconds of their own (own-time.ts). */
const [trySeconds, askSeconds] = [60, 10];
/** Two devices that compute in float32 differ by their order of summation: √1024 roundings, some more at the worst. */
const tolerance = 1e-4;
/** Counted on where nothing tells how much there is: what small GPUs have. */
const guessedBytes = 4e9;

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i;

/** The GPU, or why there is none. */
export async function findGpu(): Promise<Gpu | {missing: string}> {
  const {said, logged} = await tried();
  const trial = parsed(said);
  if (trial === null) return {missing: reasonIn(logged)};
  if (!(trial.difference < tolerance))
    return {
      missing: `its driver computes wrongly (a product of matrices is off by ${trial.difference.toPrecision(2)})`,
    };
  const name = nameIn(logged);
  const software = softwareNames.test(name);
  return {name, software, ...(await memoryOf(software)), speedup: trial.cpu / trial.gpu};
}

/** Whether there can be a GPU at all, without a process to try it. */
export function mayHaveGpu(): boolean {
  if (hasNoGpu()) return false;
  if (process.platform !== 'linux') return true;
  const {VK_ICD_FILENAMES, VK_DRIVER_FILES} = process.env;
  return Boolean(VK_ICD_FILENAMES || VK_DRIVER_FILES) || existsSync('/dev/dri') || existsSync('/dev/nvidiactl');
}

function tried(): Promise<{said: string; logged: string}> {
  const env = {...process.env, VK_LOADER_DEBUG: 'all', XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? '/tmp'};
  const options = {env, maxBuffer: 1 << 26};
  return new Promise(resolve => {
    const child = execFile(process.execPath, [fileURLToPath(trying)], options, (_, said, logged) =>
      resolve({said, logged}),
    );
    void endAfter(trySeconds, child);
  });
}

function parsed(said: string): Trial | null {
  const line = said.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line) as Trial;
  } catch {
    return null;
  }
}

/** The runtime's own words for why it has no device. */
export function reasonIn(logged: string): string {
  const runtime = /Failed to get a WebGPU (?:adapter|device): *(.+)/.exec(logged)?.[1];
  if (/Found no drivers/.test(logged)) return 'no Vulkan driver is installed';
  if (/libvulkan/.test(logged) && runtime) return `the Vulkan loader is missing (${runtime.trim()})`;
  return runtime?.trim() ?? 'the runtime finds none';
}

/** The Vulkan loader names the device in use; elsewhere the runtime names what hardware it found. */
export function nameIn(logged: string): string {
  const used = [...logged.matchAll(/Using "([^"]+)" with driver/g)].at(-1)?.[1];
  if (used) return used;
  const hardware = [...logged.matchAll(/Discovered OrtHardwareDevice \{([^}]*type:1[^}]*)\}/g)].map(
    ([, text]) => text!,
  );
  const described = hardware.map(
    text => /Description=([^,\]]+)/.exec(text)?.[1] ?? /vendor:([^,]+)/.exec(text)?.[1]?.trim(),
  );
  const known = described.find(text => text !== undefined && text !== '');
  return known ?? (process.platform === 'darwin' ? 'the GPU of this Mac' : 'a GPU that tells no name');
}

async function memoryOf(software: boolean): Promise<Pick<Gpu, 'bytes' | 'memory'>> {
  // Shared with the CPU: half of it is left to everything else.
  if (software || process.platform === 'darwin')
    return {bytes: Math.min(allocatedMemory() / 2, freemem()), memory: 'machine'};
  const device = await freeVideoMemory();
  return device === null ? {bytes: guessedBytes, memory: 'guess'} : {bytes: device, memory: 'device'};
}

/** Free bytes of a GPU's own memory; null where no driver tells. */
export async function freeVideoMemory(): Promise<number | null> {
  return amdBytes() ?? nvidiaBytes();
}

/** Free video memory as the amdgpu driver tells it. */
function amdBytes(): number | null {
  const folder = '/sys/class/drm';
  if (!existsSync(folder)) return null;
  const read = (card: string, file: string) => {
    const path = join(folder, card, 'device', file);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN;
  };
  const free = readdirSync(folder)
    .map(card => read(card, 'mem_info_vram_total') - read(card, 'mem_info_vram_used'))
    .filter(Number.isFinite);
  return free.length > 0 ? Math.max(...free) : null;
}

/** Free memory of the NVIDIA GPU that is ours, by the driver's own program. */
function nvidiaBytes(): Promise<number | null> {
  const gpu = allottedGpu();
  const query = ['--query-gpu=memory.free', '--format=csv,noheader,nounits', ...(gpu ? ['--id', gpu] : [])];
  return new Promise(resolve => {
    const child = execFile('nvidia-smi', query, (error, said) => {
      const mebibytes = Number.parseInt(said, 10);
      resolve(error || !Number.isFinite(mebibytes) ? null : mebibytes * 2 ** 20);
    });
    void endAfter(askSeconds, child);
  });
}
