/** One process at a time writes into a run folder: a lock file that names its owner, so that a dead one is noticed. */
import {closeSync, openSync, readFileSync, rmSync, statSync, writeSync} from 'node:fs';
import {hostname} from 'node:os';
import {SweepError} from '../../core/error.ts';
import {dropSocket} from '../control.ts';
import {readText} from '../files/door.ts';
import {storeError} from './errors.ts';

interface Owner {
  pid: number;
  host: string;
  /** When the process started, in the system's own words: process numbers are used again. Null where not known. */
  processStart: string | null;
  /** Address of the socket on which the process takes commands (control.ts). */
  control?: string;
}

/** A lock has some hundred bytes. */
const mostLockBytes = 1 << 16;

/** A lock without readable content is being written right now, or is what a crash left. */
const unreadableForMilliseconds = 5_000;

/**
 * Takes the lock or throws `run-locked`. The lock of a process that is gone is taken over. `control` is kept in it, for
 * whoever wants to talk to the owner.
 * @returns lets go of it again
 */
export function lock(file: string, control: string): () => void {
  const mine = JSON.stringify(self(control));
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = openSync(file, 'wx');
      writeSync(handle, mine);
      closeSync(handle);
      return () => {
        if (readOwner(file).text === mine) rmSync(file, {force: true});
      };
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw storeError(error, file);
    }
    const {owner, text} = readOwner(file);
    if (attempt > 0 || isHeld(file, owner)) throw locked(file, owner);
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
  return text !== null && isHeld(file, owner);
}

function isHeld(file: string, owner: Owner | null): boolean {
  if (!owner) {
    const age = Date.now() - (statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0);
    return age < unreadableForMilliseconds;
  }
  // Another machine's processes cannot be seen from here, so its lock counts.
  if (owner.host !== hostname()) return true;
  return isAlive(owner.pid) && owner.processStart === processStart(owner.pid);
}

function locked(file: string, owner: Owner | null): SweepError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
  return new SweepError(
    'run-locked',
    `The run folder is in use by ${who}; wait for it, stop it, or, if it is long gone, delete ${file}.`,
    {file, ...owner},
  );
}

function self(control: string): Owner {
  return {pid: process.pid, host: hostname(), processStart: processStart(process.pid), control};
}

function readOwner(file: string): {text: string | null; owner: Owner | null} {
  let text: string;
  try {
    text = readText(file, mostLockBytes);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return {text: null, owner: null};
    throw storeError(error, file);
  }
  try {
    const {pid, host, processStart, control} = JSON.parse(text);
    const known = typeof pid === 'number' && typeof host === 'string';
    return {text, owner: known ? {pid, host, processStart, ...(typeof control === 'string' && {control})} : null};
  } catch {
    return {text, owner: null};
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** Field 22 of Linux's `/proc/PID/stat` (clock ticks since the machine started); null on other systems. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets, so counting starts behind its last bracket.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
