/** What Debian's packages give to tests: installed where the user may and the packager is there. */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** Whether packages can be installed here. */
export const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

const packagerLock = join(tmpdir(), 'lora-sweep-packages.lock');

/** @throws Error with the end of what the packager said */
export async function installPackages(names: readonly string[], say: (line: string) => void): Promise<void> {
  say(`installing ${names.join(' and ')} …`);
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  // Tests in several processes may want packages at the same moment.
  const packager = (args: string[]) => command('flock', [packagerLock, 'apt-get', ...args], '/', env);
  await packager(['update']);
  await packager(['install', '-y', '--no-install-recommends', ...names]);
}

/** Runs a program to its end. @throws Error with the end of what it said */
export async function command(name: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(name, args, {cwd, env, stdio: ['ignore', 'pipe', 'pipe']});
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', text => {
      said = (said + text).slice(-4000);
    });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with status ${status}:\n${said}`);
}
