/** Whose a file of expanded weights is, is told by the system's mark: machines may share a name, and one may change its own. */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openWeights} from '../../../trainer/model/weights.ts';
import {
  expansionName,
  placeInExpansion,
  removeFile,
  shareFile,
  sweepFiles,
} from '../../../trainer/weights/expansion-file.ts';
import {golden} from '../golden.ts';

const modules = ['model/weights.ts', 'weights/expansion-file.ts'].map(name =>
  fileURLToPath(new URL(`../../../trainer/${name}`, import.meta.url)),
);

let cache: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'lora-sweep-expansion-'));
  process.env['LORA_SWEEP_CACHE'] = cache;
});
afterEach(async () => {
  for (const child of children.splice(0)) await killed(child);
  rmSync(cache, {recursive: true, force: true});
  delete process.env['LORA_SWEEP_CACHE'];
});

const left = (): string[] => readdirSync(join(cache, 'expanded'));

/** A process that has expanded weights, behind the words of a command. */
async function expanding(...before: string[]): Promise<ChildProcess> {
  const [weights, expansion] = modules.map(module => JSON.stringify(module));
  const script = `
    const {openWeights} = await import(${weights});
    const {placeInExpansion, shareFile} = await import(${expansion});
    const stored = [...openWeights(${JSON.stringify(golden('models/llama-bf16'))}).tensors.values()];
    placeInExpansion(stored[0], shareFile(stored));
    console.log(process.pid);
    setInterval(() => {}, 1000);`;
  const words = [...before, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(words[0]!, words.slice(1), {stdio: ['ignore', 'pipe', 'inherit'], env: process.env});
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve());
    child.once('exit', code => reject(new Error(`It ended with ${code}.`)));
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

it('a file stays while its process lives, and goes with the next sweep after a kill', async () => {
  const child = await expanding();
  sweepFiles();
  const [own] = left();
  expect(existsSync(join(cache, 'expanded', own!, expansionName))).toBe(true);
  await killed(child);
  sweepFiles();
  expect(left()).toEqual([]);
});

it('one of another system stays as long as somebody touches it', () => {
  const foreign = join(cache, 'expanded', 'weights.01234567-1-0123456789ab.tmp');
  mkdirSync(foreign, {recursive: true});
  sweepFiles();
  expect(existsSync(foreign)).toBe(true);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(foreign, longAgo, longAgo);
  sweepFiles();
  expect(existsSync(foreign)).toBe(false);
});

it('is removed by its own process', () => {
  const stored = [...openWeights(golden('models/llama-bf16')).tensors.values()];
  const file = shareFile(stored);
  placeInExpansion(stored[0]!, file);
  expect(left()).toHaveLength(1);
  removeFile(file);
  expect(left()).toEqual([]);
});

const canUnshare = (...namespaces: string[]) => spawnSync('unshare', [...namespaces, 'true']).status === 0;

describe('on Linux', () => {
  it.runIf(canUnshare('--uts'))('under another host name the machine is the same', async () => {
    const child = await expanding('unshare', '--uts', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh');
    sweepFiles();
    expect(left()).toHaveLength(1);
    await killed(child);
    sweepFiles();
    expect(left()).toEqual([]);
  });

  it.runIf(canUnshare('--pid', '--fork', '--mount-proc'))(
    'under the same host name a container has numbers of its own, of which nothing is known here',
    async () => {
      const child = await expanding('unshare', '--pid', '--fork', '--mount-proc', '--kill-child');
      await killed(child);
      sweepFiles();
      expect(left()).toHaveLength(1);
    },
  );
});
