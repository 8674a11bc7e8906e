/** What Debian's packages give to tests: installed where the user may and the packager is there. */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';

/** Whether packages can be installed here. */
export const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

/** @throws Error with the end of what the packager said */
export async function installPackages(names: readonly string[], say: (line: string) => void): Promise<void> {
  say(`installing ${names.join(' and ')} …`);
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  await command('apt-get', ['update'], '/', env);
  await command('apt-get', ['install', '-y', '--no-install-recommends', ...names], '/', env);
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
