/** The workbench's server on a loopback port, with a home, settings and extensions of its own. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {mkdir, symlink, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {basename, delimiter, dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Installation} from './install.ts';
import {until} from './until.ts';

/** A quiet workbench: nothing is shown or fetched that is not asked for. */
export const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'chat.agentHost.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'editor.hover.delay': 100,
  'editor.minimap.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'always',
};

export interface Server {
  /** Where it listens, as `127.0.0.1:12345`. */
  authority: string;
  /** Folder of the logs, extension hosts' included. */
  logs: string;
  home: string;
  /** What a window opens to see a folder of this machine. */
  addressOf(folder: string): string;
  stop(): Promise<void>;
}

export interface Start {
  /** For its files alone. */
  folder: string;
  /** Folders of extensions, which are installed as they lie there. */
  extensions: readonly string[];
  /** Whether workspaces must be trusted first. */
  trust: boolean;
  /** Environment beside its own. */
  env?: NodeJS.ProcessEnv;
  /** Address of the hub that models are fetched from. */
  hub: string;
}

/**
 * The extension is an installed one, not one under development: for that the workbench asks for its driver of smoke
 * tests, and then shows no notifications.
 * @throws Error with the end of what it said
 */
export async function startServer({node, server}: Installation, start: Start): Promise<Server> {
  const {folder, trust, hub, env = {}} = start;
  const home = join(folder, 'home');
  const userData = join(folder, 'user-data');
  await mkdir(join(userData, 'User'), {recursive: true});
  await mkdir(home);
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  const extensions = join(folder, 'extensions');
  await mkdir(extensions);
  for (const extension of start.extensions) await symlink(extension, join(extensions, basename(extension)));
  await writeFile(join(userData, 'User/settings.json'), JSON.stringify(quietSettings, null, 2));
  const authority = `127.0.0.1:${await freePort()}`;
  const options = [
    ...['--bind-addr', authority, '--auth', 'none'],
    ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
    ...(trust ? [] : ['--disable-workspace-trust']),
    ...['--user-data-dir', userData, '--extensions-dir', extensions],
    ...['--vscode-option', 'reconnection-grace-time=1'],
  ];
  const {LANG = 'C.UTF-8', PATH = ''} = {...process.env, ...env};
  const child = spawn(node, [server, ...options], {
    cwd: folder,
    env: {
      ...env,
      LANG,
      HOME: home,
      TMPDIR: temporary,
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      HF_ENDPOINT: hub,
      PATH: `${dirname(node)}${delimiter}${PATH}`,
    },
    // A group of its own: extension hosts and language servers go with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(folder, 'server.log'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', text => {
      log.write(text);
      said = (said + text).slice(-2000);
    });
  const kill = () => signal(child, 'SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await end(child);
    log.end();
  };
  try {
    await until("the workbench's server", async () => child.exitCode !== null || answers(authority));
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
  } catch (error) {
    await stop();
    throw new Error(`The workbench's server did not start:\n${said}`, {cause: error});
  }
  return {authority, logs: join(userData, 'logs'), home, addressOf: folder => folder, stop};
}

async function answers(authority: string): Promise<boolean> {
  try {
    return (await fetch(`http://${authority}/healthz`)).ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Asks the process and all of its group to end; after five seconds it does not ask. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    signal(child, 'SIGTERM');
    await Promise.race([gone, sleep(5000, undefined, {ref: false})]);
  }
  signal(child, 'SIGKILL');
}

function signal({pid}: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone.
  }
}
