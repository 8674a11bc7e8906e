/** Other versions of Node, as npm's packages bring them: installed once into a folder that all clones share. */
import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, readFile, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import envPaths from 'env-paths';

const root = dirname(dirname(import.meta.dirname));

/** Where npm has not the wanted version for a platform, the nearest one that it has. */
const substitutes: Record<string, Record<string, string>> = {
  'darwin-x64': {'20.19.0': '20.20.2', '22.0.0': '22.23.2'},
  'bin-darwin-arm64': {'18.20.4': '20.18.1', '20.19.0': '22.23.2', '22.0.0': '24.0.0'},
  'win-x64': {'20.19.0': '20.20.2'},
  'win-arm64': {'20.19.0': '20.20.2', '22.0.0': '22.23.2'},
};

/** The oldest version that package.json admits. */
export async function oldestNode(): Promise<string> {
  const {engines} = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {engines: {node: string}};
  return engines.node.replace(/^>=/, '');
}

/** The program of a version of Node. @throws Error with npm's words where it cannot be installed */
export async function nodeOf(version: string): Promise<string> {
  const {platform, arch} = process;
  const system =
    platform === 'win32'
      ? `win-${arch}`
      : `${platform === 'darwin' && arch === 'arm64' ? 'bin-' : ''}${platform}-${arch}`;
  const exact = substitutes[system]?.[version] ?? version;
  const name = `node-${system}`;
  const folder = join(envPaths('lora-sweep', {suffix: ''}).cache, 'nodes', `${name}-${exact}`);
  const file = join('node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(join(folder, file))) {
    const partial = `${folder}.${process.pid}`;
    await mkdir(partial, {recursive: true});
    const options = [
      '--prefix',
      partial,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ];
    await npm(['install', ...options, `${name}@${exact}`], partial);
    // Whoever was faster made the same.
    await rename(partial, folder).catch(() => rm(partial, {recursive: true, force: true}));
  }
  return join(folder, file);
}

/** npm as it was started, else the one in PATH. */
async function npm(args: string[], cwd: string): Promise<void> {
  const script = process.env['npm_execpath'];
  const run = promisify(execFile);
  if (script?.endsWith('.js')) await run(process.execPath, [script, ...args], {cwd});
  else await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {cwd, shell: process.platform === 'win32'});
}
