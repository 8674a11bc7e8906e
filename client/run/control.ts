/** The other end of a run's control socket: whether its process lives, and commands to it. */
import {lstatSync} from 'node:fs';
import {connect, type Socket} from 'node:net';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {isControlAddress} from '../../core/run/control-name.ts';
import {readRegular} from './regular.ts';

/** A lock has some hundred bytes. */
const mostLockBytes = 1 << 16;

/** Where the run in a folder listens, as its lock says; undefined where none runs on this machine. */
async function addressIn(folder: string): Promise<string | undefined> {
  try {
    const lock = JSON.parse(await readRegular(join(folder, 'run.lock'), mostLockBytes)) as {
      control?: unknown;
      host?: unknown;
    };
    // The lock may come with a folder from anywhere: only a socket of a run is connected to.
    return typeof lock.control === 'string' && lock.host === hostname() && isOurs(lock.control)
      ? lock.control
      : undefined;
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

/** Connects to the run in a folder; `ended` is called once when its process is gone. Undefined where none is running. */
export async function connectTo(folder: string, ended: () => void): Promise<Connection | undefined> {
  const address = await addressIn(folder);
  if (address === undefined) return undefined;
  const socket = connect(address);
  const connected = await new Promise<boolean>(resolve => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (!connected) return undefined;
  return attached(socket, ended);
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
