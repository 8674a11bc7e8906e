/** Commands to a run under way: a local socket, one line of JSON a command. Its address stands in the run's lock. */
import {createHash} from 'node:crypto';
import {accessSync, chmodSync, constants, lstatSync, rmSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {controlName, isControlAddress} from '../../core/run/control-name.ts';
import {discard} from '../files/write-whole.ts';

/** Longer lines are no commands. */
const longestLine = 4096;
/** Bytes of a socket's path with the zero behind it, in the narrowest `sockaddr_un` (macOS; Linux has 108). */
const longestAddress = 104;

/**
 * Where the run of a folder listens: a named pipe on Windows, elsewhere a socket file in the folder for temporary files, or in
 * another one where that one's path is too long for a socket or cannot be written. Undefined where there is none.
 */
export function controlAddress(folder: string): string | undefined {
  const name = controlName(createHash('sha256').update(`${folder} ${process.pid}`).digest('hex'));
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const places = [tmpdir(), process.env['XDG_RUNTIME_DIR'], '/tmp', '/var/tmp'].filter(place => place !== undefined);
  return places.map(place => join(place, `${name}.sock`)).find((file, i) => fits(file) && isWritable(places[i]!));
}

const fits = (address: string): boolean => Buffer.byteLength(address) < longestAddress;

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
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
  /** What is worth telling: that nobody can connect. */
  notes: string[];
  /** Never throws. */
  close(): void;
}

/**
 * Listens for commands until closed. A connection that stays open tells its other end that this process lives. Never fails:
 * without a socket the run goes on and can be stopped by a signal.
 */
export async function openControl(address: string | undefined): Promise<Control> {
  const controller = new AbortController();
  if (address === undefined) return {signal: controller.signal, notes: [deaf('no place for a socket')], close() {}};
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
  if (isFile) discard(address);
  const fault = await new Promise<Error | undefined>(resolve => {
    // Later ones concern a single connection: the run goes on.
    server.on('error', resolve);
    server.listen(address, () => resolve(undefined));
  });
  if (isFile && !fault) protect(address);
  return {
    signal: controller.signal,
    notes: fault ? [deaf(fault.message)] : [],
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (isFile) discard(address);
    },
  };
}

const deaf = (why: string): string => `The run cannot be controlled from the editor (${why}); Ctrl-C stops it.`;

/** For its owner only; the folder for temporary files is everybody's. */
function protect(address: string): void {
  try {
    chmodSync(address, 0o600);
  } catch {
    // Somebody clears that folder away already: then nobody can connect.
  }
}

function isStop(line: string): boolean {
  try {
    const {command} = JSON.parse(line) as {command?: unknown};
    return command === 'stop';
  } catch {
    return false;
  }
}
