/** `--fresh`: the run of a folder gets a name with its date, beside it, so that another one can begin in its place. */
import {existsSync, renameSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {earlierName} from '../../../core/run/history/earlier.ts';
import {storeError, syncFolder} from '../../files/write-whole.ts';
import {lock} from '../lock.ts';
import {firstStart, readManifest} from '../manifest.ts';
import {lockName, manifestName} from '../names.ts';
import {hasResults, hasRun} from '../run.ts';
import {stopWished} from '../stop-file.ts';
import {storedState} from './stored-state.ts';

/**
 * Whether there is a run to set aside: one without results is none.
 * @throws SweepError `run-locked` while a process works on it, or a scheduler may start one
 */
export async function refuseInUse(folder: string): Promise<boolean> {
  if (!hasRun(folder)) return false;
  const {state, live} = await storedState(folder);
  if (live)
    throw new SweepError('run-locked', `${folder}: its run is at work; \`lora-sweep cancel ${folder}\` stops it.`, {
      folder,
    });
  if (isAwaited(state) && stopWished(folder) !== 'all')
    throw new SweepError(
      'run-locked',
      `${folder}: a scheduler may still start tasks of its run; \`lora-sweep cancel ${folder}\` takes them out of the queue.`,
      {folder},
    );
  return hasResults(state) || state.tasks.length > 0;
}

const isAwaited = ({submitted, tasks}: RunState): boolean =>
  submitted.length > 0 && tasks.some(({state}) => state !== 'finished' && state !== 'failed');

/**
 * Where the earlier run is now; null where there was none with results.
 * @throws SweepError `run-locked`, `cannot-write`
 */
export async function setAside(folder: string): Promise<string | null> {
  if (!(await refuseInUse(folder))) return null;
  const parent = dirname(folder);
  const name = earlierName(basename(folder), await beganAt(folder), one => existsSync(join(parent, one)));
  const target = join(parent, name);
  // Whoever comes between finds the folder in use.
  const held = lock(join(folder, lockName), undefined);
  try {
    renameSync(folder, target);
    rmSync(join(target, lockName), {force: true});
    syncFolder(parent);
  } catch (error) {
    throw storeError(error, folder);
  } finally {
    held.release();
  }
  return target;
}

async function beganAt(folder: string): Promise<Date> {
  const first = readFirstStart(folder) ?? (await storedState(folder)).state.startedAt;
  return first === null ? new Date() : new Date(first);
}

/** By the manifest, in milliseconds since 1970; null where it does not say. */
function readFirstStart(folder: string): number | null {
  try {
    return firstStart(readManifest(join(folder, manifestName)));
  } catch {
    return null;
  }
}
