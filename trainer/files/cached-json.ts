import {readFileSync} from 'node:fs';

/** An object from a file of the cache, which may vanish or be damaged at any time: then it has nothing in it. */
export function readCached(file: string): object {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
