/**
 * Temporary names: what is written under one appears whole under its own name by a rename. A name says who writes it, so that
 * the next start sweeps away what a process left that was killed in between.
 */
import {createHash, randomUUID} from 'node:crypto';
import {readdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {isAlive, systemMark} from '../process/processes.ts';

/** What a killed process of another machine wrote is swept when nobody has written to it for so long. */
const forgottenMilliseconds = 3_600_000;

/** Processes that see each other's numbers. A system without a mark tells nothing of others: each process is alone there. */
const here = createHash('sha256')
  .update(systemMark() ?? randomUUID())
  .digest('hex')
  .slice(0, 8);
const shape = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

/** `FILE.SYSTEM-PROCESS-RANDOM.tmp`, beside the file. */
export function temporaryOf(file: string): string {
  return `${file}.${here}-${process.pid}-${randomUUID().slice(-12)}.tmp`;
}

export function isTemporary(name: string): boolean {
  return shape.test(name);
}

/**
 * Removes the temporary files and folders in a folder whose writers are gone; `ours`: nobody else can be writing there. What
 * cannot be removed does no harm.
 */
export function sweepTemporaries(folder: string, {ours = false} = {}): void {
  for (const name of namesIn(folder)) {
    const [, system, pid] = shape.exec(name) ?? [];
    if (system === undefined) continue;
    const path = join(folder, name);
    const isOpen = system === here ? isAlive(Number(pid)) : !isForgotten(path);
    if (isOpen && !ours) continue;
    try {
      rmSync(path, {recursive: true, force: true});
    } catch {
      // Another start may be at it, or the folder is read-only.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isForgotten(path: string): boolean {
  return Date.now() - (statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? Date.now()) > forgottenMilliseconds;
}
