/** Lays bombs one by one and runs the command on each: what is wrong with how it was taken, and what it took. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type Bomb, soundFolder} from './bombs.ts';
import {measured} from './measured.ts';

const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));

/** Beyond this much processor time a command is ended. */
const limit = 30;

export interface Taken {
  name: string;
  seconds: number;
  megabytes: number;
  /** On the disk, all that was laid. */
  fileMegabytes: number;
  said: string;
  /** Empty where all is well. */
  faults: string[];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const commands = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

export async function take(bomb: Bomb): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-bomb-'));
  try {
    soundFolder(folder);
    bomb.lay(folder);
    const fileMegabytes = Number(execFileSync('du', ['-sm', folder]).toString().split('\t')[0]);
    const env = {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache'), HF_HOME: join(folder, 'hub')};
    const args = [program, ...(bomb.command ?? ['check', 'a.sweep.yaml'])];
    const {status, out, errors, seconds, megabytes} = await measured(args, folder, env, limit);
    const said = `${out}${errors}`;
    const faults = [
      status === 0 || status === 1 ? '' : `status ${status}`,
      /unexpected error|^\s+at |Error:|TypeError|RangeError/m.test(said) ? 'no sentence' : '',
      commands.test(said) ? 'control characters' : '',
      bomb.says && !bomb.says.test(said) ? `says nothing of ${bomb.says}` : '',
    ].filter(Boolean);
    return {name: bomb.name, seconds, megabytes, fileMegabytes, said: said.replaceAll(folder, '.'), faults};
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
