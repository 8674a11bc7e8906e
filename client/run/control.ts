/** The other end of a run's control socket: whether its process lives, and commands to it. */
import {lstatSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {connect, type Socket} from 'node:net';
import {join} from 'node:path';
import {isControlAddress} from '../../core/run/control-name.ts';
import {readRegular} from './regular.ts';

/** A lock has some hundred bytes. */
const mostLockBytes = 1 << 16;

/** The lock of a run folder: when it was written last, in milliseconds of its file system, and where its process listens, if here. */
async function lockOf(folder: string): Promise<{lockedAt: number; address: string | undefined} | undefined> {
  const file = join(folder, 'run.lock');
  try {
    const {control} = JSON.parse(await readRegular(file, mostLockBytes)) as {control?: unknown};
    // The lock may come with a folder from anywhere: only a socket of a run is connected to.
    const address = typeof control === 'string' && isOurs(control) ? control : undefined;
    return {lockedAt: (await stat(file)).mtimeMs, address};
  } catch {
    // No lock, or one that is being written: no run to talk to yet.
    return undefined;
  }
}

function isOurs(address: string): boolean {
  if (!isControlAddress(address, process.platform)) return false;
  if (process.platform === 'win32') return true;
  const found = lstatSync(address, {throwIfNoEntry: false});
  return found?.isSocket() === true && found.uid === process.getuid?.();
}

/** A connection that is open as long as the run's process lives. */
export interface Connection {
  stop(): void;
  close(): void;
}

/** What was found of a run's process: a connection; or when it wrote its lock last, where it may be elsewhere; or that there is none. */
export type Reached = {connection: Connection} | {lockedAt: number} | undefined;

/** Connects to the run in a folder; `ended` is called once when its process is gone. */
export async function connectTo(folder: string, ended: () => void): Promise<Reached> {
  const lock = await lockOf(folder);
  if (lock === undefined) return undefined;
  const {address, lockedAt} = lock;
  if (address === undefined) return {lockedAt};
  const socket = connect(address);
  const connected = await new Promise<boolean>(resolve => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (connected) return {connection: attached(socket, ended)};
  // A socket file that nobody listens on was left by a process of this machine; a pipe may be one of another machine.
  return process.platform === 'win32' ? {lockedAt} : undefined;
}

function attached(socket: Socket, ended: () => void): Connection {
  let left = false;
  // What follows an error is the end.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    if (!left) ended();
  });
  socket.resume();
  return {
    stop: () => void socket.write(`${JSON.stringify({command: 'stop'})}\n`),
    close() {
      left = true;
      socket.destroy();
    },
  };
}
