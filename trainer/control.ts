/** Commands to a run under way: a local socket, one line of JSON a command. Its address stands in the run's lock. */
import {createHash} from 'node:crypto';
import {chmodSync, lstatSync, rmSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {controlName, isControlAddress} from '../core/run/control-name.ts';

/** Longer lines are no commands. */
const longestLine = 4096;

/** Where the run of a folder listens: a named pipe on Windows, a socket file of few characters elsewhere (108 at most). */
export function controlAddress(folder: string): string {
  const name = controlName(createHash('sha256').update(`${folder} ${process.pid}`).digest('hex'));
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

/**
 * Clears away the socket that a killed run left. A lock may come with a folder from anywhere: what it names is only
 * removed where it is a socket of ours.
 */
export function dropSocket(address: string): void {
  if (process.platform === 'win32' || !isControlAddress(address, process.platform)) return;
  const found = lstatSync(address, {throwIfNoEntry: false});
  if (found?.isSocket() && found.uid === process.getuid?.()) rmSync(address, {force: true});
}

export interface Control {
  /** Aborted by the command `{"command": "stop"}`. */
  signal: AbortSignal;
  close(): void;
}

/**
 * Listens for commands until closed. A connection that stays open tells its other end that this process lives. Never fails:
 * without a socket the run goes on and can be stopped by a signal; `note` hears of it.
 */
export async function openControl(address: string, note: (message: string) => void): Promise<Control> {
  const controller = new AbortController();
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    let held = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (held + text).split('\n');
      held = lines.pop() ?? '';
      if (held.length > longestLine) socket.destroy();
      if (lines.some(isStop)) controller.abort();
    });
    // Whoever leaves, leaves.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.unref();
  const isFile = process.platform !== 'win32';
  if (isFile) rmSync(address, {force: true});
  await new Promise<void>(resolve => {
    server.once('error', error => {
      note(`The run cannot be controlled from the editor (${error.message}); Ctrl-C stops it.`);
      resolve();
    });
    server.listen(address, () => {
      if (isFile) chmodSync(address, 0o600);
      resolve();
    });
  });
  return {
    signal: controller.signal,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (isFile) rmSync(address, {force: true});
    },
  };
}

function isStop(line: string): boolean {
  try {
    const {command} = JSON.parse(line) as {command?: unknown};
    return command === 'stop';
  } catch {
    return false;
  }
}
