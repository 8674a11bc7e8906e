/**
 * Processes that must not outlive this one, whatever they do: they are killed when it exits and, where it is killed itself,
 * by a watchdog, a process that waits for its end. A busy program in WebAssembly or JavaScript would not notice.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import type {Socket} from 'node:net';
import {fileURLToPath} from 'node:url';
import {withoutDebugger} from '../process/signals.ts';

/** This file's neighbour, as source or as built. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './watchdog-process.ts' : './watchdog-process.js', import.meta.url),
);

const watched = new Set<ChildProcess>();
let watchdog: ChildProcess | undefined;

process.on('exit', () => {
  for (const child of watched) child.kill('SIGKILL');
});

/** The process will be gone soon after this one. */
export function watch(child: ChildProcess): void {
  // One that could not be started has no id.
  if (child.pid === undefined) return;
  watched.add(child);
  if (watchdog === undefined) watchdog = start();
  else tell(`+${child.pid}`);
  child.once('exit', () => {
    watched.delete(child);
    tell(`-${child.pid}`);
  });
}

const tell = (line: string): void => void watchdog?.stdin?.write(`${line}\n`);

/** A watchdog of all processes that are watched now. */
function start(): ChildProcess {
  const child = spawn(process.execPath, [...withoutDebugger(), program], {
    // Electron is Node only when it is told to be.
    env: {ELECTRON_RUN_AS_NODE: '1'},
    stdio: ['pipe', 'ignore', 'ignore'],
    // What a terminal sends to the whole group does not reach it.
    detached: true,
    windowsHide: true,
  });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  child.once('close', () => {
    if (watchdog === child) watchdog = undefined;
  });
  // Nobody waits for it.
  child.unref();
  (child.stdin as Socket).unref();
  child.stdin.write([...watched].map(({pid}) => `+${pid}\n`).join(''));
  return child;
}
