/** Types the blocks of a text into a shell, one command after another, and compares. */
import {spawn} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type HubServer, openHubServer} from '../trainer/hub/hub-server.ts';
import {type Block, blocksOf, commandsOf, isShell, sweepFileOf} from './blocks.ts';
import type {Clone} from './clone.ts';
import {expectedOf, statusOf} from './expected.ts';

export interface Played {
  place: string;
  command: string;
  seconds: number;
  /** What is not as it should be; empty where all is well. */
  faults: string[];
}

/** The texts whose commands are executed, where they are there. */
export const texts = ['README.md', 'docs/guide.md'];

export async function blocksIn(folder: string, names: readonly string[] = texts): Promise<Block[]> {
  const found = await Promise.all(
    names.map(async name => {
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      return blocksOf(name, text);
    }),
  );
  return found.flat();
}

/** The hub that the commands ask: it has a small model under the name that README fetches. */
export async function openReadersHub(model: string): Promise<HubServer> {
  const names = [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ];
  const files = await Promise.all(names.map(async name => [name, await readFile(join(model, name))] as const));
  return openHubServer('HuggingFaceTB/SmolLM2-135M', {files: Object.fromEntries(files)});
}

/** Writes the sweep files, runs the shell's lines. What follows a command that failed is run all the same. */
export async function play(
  blocks: readonly Block[],
  {folder, env}: Clone,
  isWanted: (command: string) => boolean = () => true,
  say: (line: string) => void = () => {},
): Promise<Played[]> {
  const played: Played[] = [];
  for (const block of blocks) {
    const sweep = sweepFileOf(block);
    if (sweep) await writeFile(join(folder, sweep.name), sweep.text);
    if (!isShell(block)) continue;
    for (const command of commandsOf(block).filter(isWanted)) {
      const place = `${block.file}:${block.line}`;
      say(`${place}: ${command}`);
      const start = performance.now();
      const {status, output} = await shell(command, folder, env);
      const faults = expectedOf(command)
        .filter(wanted => !wanted.test(output))
        .map(wanted => `its output lacks ${wanted}`);
      if (status !== statusOf(command)) faults.push(`it ended with status ${status}`);
      if (faults.length > 0) faults.push(`it said:\n${output.slice(-3000)}`);
      played.push({place, command, seconds: (performance.now() - start) / 1000, faults});
    }
  }
  return played;
}

function shell(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<{status: number | null; output: string}> {
  const child = spawn(command, {cwd, env, shell: true, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', status => resolve({status, output}));
  });
}
