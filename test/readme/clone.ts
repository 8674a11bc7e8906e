/** A fresh clone as README's reader has it: the files of this working tree, and what README leaves to its reader. */
import {exec, execFile} from 'node:child_process';
import {cp, mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Clone {
  folder: string;
  /** Of whoever types the commands: their own Node, an empty home, a place of their own for global packages. */
  env: NodeJS.ProcessEnv;
}

/**
 * What `git clone` gives, with what is not committed yet. `modules`: this checkout's node_modules are used, where `npm ci` is
 * not to be run.
 */
export async function makeClone(place: string, {modules, hub}: {modules: boolean; hub: string}): Promise<Clone> {
  const folder = join(place, 'clone');
  const listed = await promisify(execFile)('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  for (const file of listed.stdout.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(folder, file)), {recursive: true});
    await cp(join(root, file), join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      // Deleted, and not committed yet.
      if (error.code !== 'ENOENT') throw error;
    });
  }
  if (modules) await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  await writeReadersFiles(folder);
  const home = join(place, 'home');
  await mkdir(home, {recursive: true});
  return {folder, env: {...readersEnvironment(home, hub), ...(modules ? {} : await downloadedPackages())}};
}

/** A small model where README names a folder, rows with the columns that its sweep asks for. */
async function writeReadersFiles(folder: string): Promise<void> {
  const model = join(folder, 'path/to/a/model/folder');
  await mkdir(dirname(model), {recursive: true});
  await cp(join(root, 'demo/base'), model, {recursive: true});
  const rows = async (file: string, count: number) => {
    const lines = (await readFile(join(root, 'demo', file), 'utf8')).split('\n').slice(0, count);
    return lines
      .map(line => JSON.parse(line) as {prompt: string; answer: string})
      .map(({prompt, answer}) => `${JSON.stringify({question: prompt, answer})}\n`)
      .join('');
  };
  await writeFile(join(folder, 'train.jsonl'), await rows('desc-train.jsonl', 16));
  await writeFile(join(folder, 'test.jsonl'), await rows('desc-test.jsonl', 2));
}

/** Without what npm adds for its scripts: Node of another version before all in PATH, its own settings. */
function readersEnvironment(home: string, hub: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|NODE$|NODE_|VITEST|TEST$|LORA_SWEEP_CACHE$|HF_)/i.test(name),
  );
  const prefix = join(home, 'global');
  const path = (process.env['PATH'] ?? '').split(delimiter).filter(part => !/node_modules|node-gyp-bin/.test(part));
  return {
    ...Object.fromEntries(own),
    PATH: [process.platform === 'win32' ? prefix : join(prefix, 'bin'), ...path].join(delimiter),
    HOME: home,
    USERPROFILE: home,
    HF_HOME: join(home, 'hub'),
    HF_ENDPOINT: hub,
    npm_config_prefix: prefix,
    npm_config_update_notifier: 'false',
  };
}

/** npm's cache of this user: packages that were downloaded once are not downloaded again. */
async function downloadedPackages(): Promise<NodeJS.ProcessEnv> {
  const {stdout} = await promisify(exec)('npm config get cache');
  return {npm_config_cache: stdout.trim()};
}
