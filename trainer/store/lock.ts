/**
 * One process at a time writes into a run folder: a lock file that names its owner, so that a dead one is noticed.
 *
 * On the owner's own machine the system says whether it lives: its number, the time of its start (numbers are used again), and
 * that it is no zombie, which has ended and waits to be collected. Whether that is this machine is told by the system's mark,
 * never by a host name, which several may have. Other machines' processes cannot be seen from here. Their lock is a heartbeat: the owner writes the same text over it every ten seconds, and a lock that nobody has written to for a
 * minute holds nothing. Both times are the file system's own, so that clocks of machines that differ do not matter. An owner
 * that slept through that minute finds another name in its lock at its next beat, and stops.
 */
import {closeSync, ftruncateSync, openSync, rmSync, statSync, writeSync} from 'node:fs';
import {hostname} from 'node:os';
import {SweepError} from '../../core/error.ts';
import {readText} from '../files/door.ts';
import {timeAt} from '../files/file-time.ts';
import {discard, storeError, systemCode} from '../files/write-whole.ts';
import {isMarkAlive, ownMark} from '../process/processes.ts';
import {dropSocket} from './control.ts';

interface Owner {
  /** For people. */
  pid: number;
  host: string;
  /** The process among all of all machines. Null where the system has no such words. */
  process: string | null;
  /** Address of the socket on which the process takes commands (control.ts). */
  control?: string;
}

/** A lock has some hundred bytes. */
const mostLockBytes = 1 << 16;

/** A lock without readable content is being written right now, or is what a crash left. */
const unreadableForMilliseconds = 5_000;
const beatMilliseconds = 10_000;
/** A lock of another machine without a beat for so long holds nothing. */
const silentMilliseconds = 60_000;

export interface Lock {
  /** Lets go of it. Never throws: a lock that cannot be removed is that of a process that is gone. */
  release(): void;
}

/**
 * Takes the lock or throws `run-locked`. The lock of a process that is gone is taken over. `control` is kept in it, for
 * whoever wants to talk to the owner; `lost` hears when another process has taken the lock over.
 */
export function lock(file: string, control: string | undefined, lost: () => void = () => {}): Lock {
  const mine = JSON.stringify(self(control));
  for (let attempt = 0; ; attempt++) {
    try {
      write(file, 'wx', mine);
      return held(file, mine, lost);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw storeError(error, file);
    }
    const {owner, text} = readOwner(file);
    if (attempt > 0 || isHeld(file, owner, () => timeAt(file))) throw locked(file, owner);
    if (readOwner(file).text === text) {
      rmSync(file, {force: true});
      // Its socket stays behind where a process is killed.
      if (owner?.control !== undefined) dropSocket(owner.control);
    }
  }
}

/** Whether a process that still exists holds the lock. */
export function isLocked(file: string): boolean {
  const {text, owner} = readOwner(file);
  return text !== null && isHeld(file, owner, Date.now);
}

function held(file: string, mine: string, lost: () => void): Lock {
  const isMine = () => readOwner(file).text === mine;
  const beat = (): void => {
    try {
      const {text} = readOwner(file);
      if (text === mine) write(file, 'r+', mine);
      else if (text !== null && text !== '') {
        clearInterval(timer);
        lost();
      }
    } catch {
      // Whatever is wrong with the disk, the events' own writer says.
    }
  };
  const timer = setInterval(beat, beatMilliseconds);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      try {
        if (isMine()) rmSync(file, {force: true});
      } catch {
        // On a disk that became read-only it stays, and names a process that is gone.
      }
    },
  };
}

function write(file: string, flags: 'wx' | 'r+', text: string): void {
  const handle = openSync(file, flags);
  try {
    const written = writeSync(handle, text);
    if (written < text.length) {
      // On a full disk a file gets a name but no room.
      ftruncateSync(handle, 0);
      throw Object.assign(new Error('no room'), {code: 'ENOSPC'});
    }
  } catch (error) {
    if (flags === 'wx') discard(file);
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** `now`: in milliseconds since 1970, by the clock that the file's own time is of. */
function isHeld(file: string, owner: Owner | null, now: () => number): boolean {
  const alive = aliveHere(owner);
  if (alive !== null) return alive;
  const written = statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0;
  return now() - written < (owner ? silentMilliseconds : unreadableForMilliseconds);
}

/** Null where the process cannot be seen from here. */
function aliveHere(owner: Owner | null): boolean | null {
  return owner === null || owner.process === null ? null : isMarkAlive(owner.process);
}

function locked(file: string, owner: Owner | null): SweepError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
  const free =
    owner && aliveHere(owner) === null
      ? ` (its folder is free ${silentMilliseconds / 1000} s after that process has ended)`
      : '';
  return new SweepError(
    'run-locked',
    `The run folder is in use by ${who}${free}; wait for it, stop it, or, if it is long gone, delete ${file}.`,
    {file, ...owner},
  );
}

function self(control: string | undefined): Owner {
  const owner = {pid: process.pid, host: hostname(), process: ownMark()};
  return control === undefined ? owner : {...owner, control};
}

function readOwner(file: string): {text: string | null; owner: Owner | null} {
  let text: string;
  try {
    text = readText(file, mostLockBytes);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {text: null, owner: null};
    throw storeError(error, file);
  }
  try {
    const {pid, host, process, control} = JSON.parse(text);
    const known = typeof pid === 'number' && typeof host === 'string';
    const mark = typeof process === 'string' ? process : null;
    return {text, owner: known ? {pid, host, process: mark, ...(typeof control === 'string' && {control})} : null};
  } catch {
    return {text, owner: null};
  }
}
