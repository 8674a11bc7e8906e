/** Slurm's own programs, each call of which is noted with who made it. */
import {execFileSync} from 'node:child_process';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';

/** The environment in which they are found first. `folder`: where they and their notes lie. */
export async function countedCalls(folder: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const bin = join(folder, 'bin');
  await mkdir(bin, {recursive: true});
  for (const name of ['sbatch', 'squeue', 'scancel', 'scontrol']) {
    const real = execFileSync('which', [name], {encoding: 'utf8'}).trim();
    const note = `tr '\\0' ' ' </proc/$PPID/cmdline >>'${folder}/${name}.calls'; echo >>'${folder}/${name}.calls'`;
    await writeFile(join(bin, name), `#!/bin/sh\n${note}\nexec ${real} "$@"\n`, {mode: 0o755});
  }
  const {SLURM_CONF = '', PATH = ''} = env;
  // The workbench would ask a login shell for the PATH, were it not started from a command line.
  return {SLURM_CONF, VSCODE_CLI: '1', PATH: `${bin}${delimiter}${PATH}`};
}

/** The command lines of those who called a program. */
export async function callersOf(folder: string, program: string): Promise<string[]> {
  const text = await readFile(join(folder, `${program}.calls`), 'utf8').catch(() => '');
  return text.split('\n').filter(line => line !== '');
}
