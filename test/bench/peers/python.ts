/** The benchmark's own Python environment and what is made with it, all in the user's cache folder. */
import {spawn} from 'node:child_process';
import {access, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {cpus} from 'node:os';
import {join} from 'node:path';
import envPaths from 'env-paths';
import type {Size} from './sizes.ts';

const here = import.meta.dirname;
export const cache = join(process.env['LORA_SWEEP_CACHE'] ?? envPaths('lora-sweep', {suffix: ''}).cache, 'bench');

/** Runs a command to its end and returns what it printed. */
export function output(command: string, args: string[], environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {env: {...process.env, ...environment}, stdio: ['ignore', 'pipe', 'pipe']});
    let printed = '';
    let complaint = '';
    child.stdout.on('data', chunk => {
      printed += chunk;
    });
    child.stderr.on('data', chunk => {
      complaint += chunk;
    });
    child.on('error', reject);
    child.on('close', status => {
      if (status === 0) resolve(printed);
      else
        reject(
          new Error(`${command} ended with status ${status}: ${complaint.trim().split('\n').slice(-3).join(' ')}`),
        );
    });
  });
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** The interpreter of an environment with requirements.txt installed; made on first use (PyTorch's wheels: about 6 GB). */
export function python(): Promise<string> {
  return environment('python', join(here, 'requirements.txt'), 'about 6 GB');
}

/** The interpreter of an environment of this name, with what a file lists installed; `size`: of that, in words. */
export async function environment(name: string, requirements: string, size: string): Promise<string> {
  const folder = join(cache, name);
  const interpreter =
    process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
  const wanted = await readFile(requirements, 'utf8');
  const installed = join(folder, 'installed.txt');
  if ((await exists(installed)) && (await readFile(installed, 'utf8')) === wanted) return interpreter;
  console.log(`Installing ${wanted.trim().split('\n').join(', ')} into ${folder} (${size}) …`);
  await rm(folder, {recursive: true, force: true});
  await mkdir(cache, {recursive: true});
  await output(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]);
  await output(interpreter, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
  await writeFile(installed, wanted);
  return interpreter;
}

/** Where torch.compile keeps what it compiled, from one benchmark to the next. */
export const inductorCache = join(cache, 'inductor');

/** The folder of a random model, the same for every contender. */
export async function randomModel(interpreter: string, name: string, size: Size): Promise<string> {
  const folder = join(cache, 'models', name);
  if (!(await exists(folder))) {
    const unfinished = `${folder}.unfinished`;
    await output(interpreter, [join(here, 'make_model.py'), JSON.stringify(size), unfinished]);
    await rename(unfinished, folder);
  }
  return folder;
}

/**
 * A library that makes MKL take its Intel kernels on other processors, to be preloaded; or why there is none.
 * Intel's own processors get them anyway.
 */
export async function intelKernels(): Promise<{library: string} | {reason: string}> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return {reason: 'only done on Linux, x64'};
  if (cpus()[0]?.model.includes('Intel'))
    return {reason: 'an Intel processor: stock PyTorch uses these kernels already'};
  const library = join(cache, 'force-intel.so');
  try {
    await output('cc', ['-shared', '-fPIC', '-O1', '-o', library, join(here, 'force-intel.c')]);
    return {library};
  } catch (error) {
    return {reason: `no C compiler here (${(error as Error).message})`};
  }
}
