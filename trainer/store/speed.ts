/** How fast this machine trained last: what an estimate goes by before anything of a sweep itself was measured. */
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../files/cache-folder.ts';
import {writeWhole} from '../files/write-whole.ts';

const fileIn = (folder: string) => join(folder, 'speed.json');

/** Floating-point operations of training a second, all workers together; null before the first run. */
export function lastSpeed(folder: string = cacheFolder()): number | null {
  try {
    const {flopsPerSecond} = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as {flopsPerSecond?: unknown};
    return typeof flopsPerSecond === 'number' && flopsPerSecond > 0 ? flopsPerSecond : null;
  } catch {
    // The cache may vanish or be damaged at any time: then the speed is not known.
    return null;
  }
}

/** Remembers a measured speed; a cache that cannot be written costs only the estimate. */
export function rememberSpeed(flopsPerSecond: number, folder: string = cacheFolder()): void {
  if (!(flopsPerSecond > 0)) return;
  try {
    mkdirSync(folder, {recursive: true});
    writeWhole(fileIn(folder), JSON.stringify({flopsPerSecond}));
  } catch {
    // As above.
  }
}
