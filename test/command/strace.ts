/** What a process and its children write and whom they talk to, as the kernel sees it. Linux only. */
import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {isAbsolute, join} from 'node:path';
import {canInstall, installPackages} from '../debian.ts';

const program = '/usr/bin/strace';

/** @throws Error with the line that installs it */
export async function needStrace(): Promise<void> {
  if (existsSync(program)) return;
  if (canInstall()) await installPackages(['strace'], () => {});
  if (!existsSync(program))
    throw new Error('This test needs strace: apt-get install -y --no-install-recommends strace');
}

export interface Seen {
  status: number | null;
  output: string;
  /** Made, changed, renamed or removed, absolute; each once. */
  written: string[];
  /** Addresses that are neither local sockets nor this machine's own. */
  talkedTo: string[];
}

/** Runs a program to its end with all that it starts. `log`: a file for what strace says. */
export async function watched(args: string[], cwd: string, env: NodeJS.ProcessEnv, log: string): Promise<Seen> {
  const options = ['-f', '-y', '-qq', '-s', '4096', '-e', 'trace=%file,%network', '-o', log];
  const child = spawn(program, [...options, ...args], {cwd, env, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const lines = readFileSync(log, 'utf8').split('\n');
  if (lines.length < 10) throw new Error(`strace cannot watch processes here: ${output.slice(-500)}`);
  return {
    status,
    output,
    written: [...new Set(lines.flatMap(line => writtenIn(line, cwd)))],
    talkedTo: [...new Set(lines.flatMap(talkedToIn))],
  };
}

/** Calls that change what is under their paths; `open` does by its flags. */
const changing = /^\d+ +(mkdir|rename|unlink|rmdir|link|symlink|truncate|mknod|creat|chmod|fchmodat|utimensat)\w*\(/;
const opening = /^\d+ +open\w*\(/;

function writtenIn(line: string, cwd: string): string[] {
  if (/ = -1 /.test(line)) return [];
  if (opening.test(line) ? !/O_WRONLY|O_RDWR|O_CREAT/.test(line) : !changing.test(line)) return [];
  // A path may be relative to a folder that is open, which -y names before it.
  const paths = [...line.matchAll(/(?:(?:AT_FDCWD|\b\d+)<([^>]*)>, )?"([^"]*)"/g)];
  return paths.map(([, folder, path = '']) => (isAbsolute(path) ? path : join(folder ?? cwd, path)));
}

function talkedToIn(line: string): string[] {
  if (!/^\d+ +(connect|sendto|sendmsg|sendmmsg)\(/.test(line)) return [];
  const addresses = [...line.matchAll(/inet_addr\("([^"]*)"\)|inet_pton\(AF_INET6, "([^"]*)"/g)];
  return addresses.map(([, four, six]) => four ?? six ?? '').filter(address => !/^(127\.|::1$)/.test(address));
}
