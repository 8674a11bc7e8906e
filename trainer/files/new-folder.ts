/** A folder that appears whole or not at all, in a place where nothing is yet. */
import {existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, statfsSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {formatMemory} from '../../core/run/format.ts';
import {temporaryOf} from './temporary.ts';
import {discard, storeError} from './write-whole.ts';

/**
 * Makes sure that a folder of `bytes` can be written to `target`; `option`: by which another one can be chosen.
 * @throws SweepError `folder-in-use` (not empty, or a file), `disk-full`
 */
export function checkTarget(target: string, bytes: number, option = '--out'): void {
  const place = resolve(target);
  try {
    const there = existsSync(place) ? readdirSync(place) : [];
    if (there.length > 0)
      throw new SweepError(
        'folder-in-use',
        `Nothing was written because ${place} already holds ${there[0]}; choose a new or empty folder with ${option}.`,
        {folder: place},
      );
    let nearest = place;
    while (!existsSync(nearest)) nearest = dirname(nearest);
    const {bavail, bsize} = statfsSync(nearest);
    if (bavail * bsize < bytes)
      throw new SweepError(
        'disk-full',
        `Nothing was written because ${place} needs ${formatMemory(bytes)} and only ${formatMemory(bavail * bsize)} are free there; make room, or choose another disk with ${option}.`,
        {folder: place, bytes, free: bavail * bsize},
      );
  } catch (error) {
    throw storeError(error, place, option);
  }
}

/**
 * Has a folder filled under a temporary name beside `target`, then renames it; what was begun is removed when `fill`
 * fails.
 * @throws SweepError as `checkTarget`, and `cannot-write`
 */
export async function newFolder(target: string, bytes: number, fill: (folder: string) => Promise<void>): Promise<void> {
  const place = resolve(target);
  checkTarget(place, bytes);
  const temporary = temporaryOf(place);
  try {
    mkdirSync(temporary, {recursive: true});
    await fill(temporary);
    // An empty folder is in the way of a rename on some systems.
    if (existsSync(place)) rmdirSync(place);
    renameSync(temporary, place);
  } catch (error) {
    discard(temporary);
    throw storeError(error, place);
  }
}
