/**
 * What of the machine this process may use: what its scheduler has given it, or the container that it is in. A scheduler need not hold
 * processes to that, so its own words count as well.
 */
import {readFileSync} from 'node:fs';
import {availableParallelism, totalmem} from 'node:os';
import {join} from 'node:path';

/** What is asked, so that a test can answer. */
export interface Surroundings {
  environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file of the system; null where there is none. */
  read(file: string): string | null;
  /** Of the machine, as the system tells this process. */
  cores: number;
  memoryBytes: number;
}

const here = (): Surroundings => ({
  environment: process.env,
  read: readOrNull,
  cores: availableParallelism(),
  memoryBytes: totalmem(),
});

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** By scheduler; the first that is set counts. */
const coreVariables = ['SLURM_CPUS_PER_TASK', 'SLURM_CPUS_ON_NODE', 'NCPUS', 'NSLOTS', 'LSB_DJOB_NUMPROC'];

/** Cores that this process may keep busy, at least one. */
export function allocatedCores({environment, read, cores}: Surroundings = here()): number {
  const told = coreVariables.flatMap(name => positive(environment[name]) ?? []);
  const quotas = groupsOf(read, 'cpu').flatMap(folder => quotaIn(folder, read) ?? []);
  return Math.max(1, Math.floor(Math.min(cores, ...told.slice(0, 1), ...quotas)));
}

const mebibyte = 2 ** 20;

/** Bytes of memory that this process may fill. */
export function allocatedMemory({environment, read, memoryBytes}: Surroundings = here()): number {
  const {SLURM_MEM_PER_NODE, SLURM_MEM_PER_CPU, SLURM_CPUS_ON_NODE, SLURM_CPUS_PER_TASK} = environment;
  const cores = positive(SLURM_CPUS_ON_NODE) ?? positive(SLURM_CPUS_PER_TASK) ?? 1;
  // In mebibytes; 0 is all of the node.
  const node = positive(SLURM_MEM_PER_NODE);
  const perCore = positive(SLURM_MEM_PER_CPU);
  const told = [...(node === null ? [] : [node]), ...(perCore === null ? [] : [perCore * cores])];
  const limits = groupsOf(read, 'memory').flatMap(folder => limitIn(folder, read) ?? []);
  return Math.min(memoryBytes, ...told.map(amount => amount * mebibyte), ...limits);
}

function positive(text: string | undefined): number | null {
  const number = Number(text);
  return text !== undefined && text.trim() !== '' && number > 0 && Number.isFinite(number) ? number : null;
}

/** Folders of the control groups that this process is in, the outermost last: version 2 (cgroups(7)), then version 1. */
function groupsOf(read: Surroundings['read'], controller: string): string[] {
  const lines = (read('/proc/self/cgroup') ?? '').trim().split('\n');
  return lines.flatMap(line => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) return [];
    if (controllers === '') return outwards('/sys/fs/cgroup', path);
    return controllers.split(',').includes(controller) ? outwards(`/sys/fs/cgroup/${controllers}`, path) : [];
  });
}

function outwards(root: string, path: string): string[] {
  const parts = path.split('/').filter(part => part !== '');
  return parts.map((_, k) => join(root, ...parts.slice(0, parts.length - k))).concat(root);
}

/** Cores, from `cpu.max` (`200000 100000`, in microseconds) or the two files that version 1 has for it. */
function quotaIn(folder: string, read: Surroundings['read']): number | null {
  const [quota, period] =
    read(join(folder, 'cpu.max'))?.trim().split(' ') ??
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map(name => read(join(folder, name))?.trim());
  const [most, of] = [positive(quota), positive(period)];
  return most === null || of === null ? null : most / of;
}

/** Bytes; version 1 writes a huge number where there is no limit. */
function limitIn(folder: string, read: Surroundings['read']): number | null {
  return positive((read(join(folder, 'memory.max')) ?? read(join(folder, 'memory.limit_in_bytes')))?.trim());
}

/** The GPU that this process has: the first one that CUDA may see, by its number or name; null where that is not said. */
export function allottedGpu(environment: Surroundings['environment'] = process.env): string | null {
  const visible = environment['CUDA_VISIBLE_DEVICES'];
  return visible === undefined ? null : (visible.split(',')[0]?.trim() ?? '');
}

/** Whether CUDA may see none (an empty list, or a number below 0, as CUDA reads it). */
export function hasNoGpu(environment?: Surroundings['environment']): boolean {
  const gpu = allottedGpu(environment);
  return gpu !== null && (gpu === '' || gpu.startsWith('-') || gpu === 'NoDevFiles');
}
