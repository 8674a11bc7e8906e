import {closeSync, openSync, statSync} from 'node:fs';
import {temporaryOf} from './temporary.ts';
import {discard} from './write-whole.ts';

/** What time it is, in milliseconds since 1970, for the file system on which a file lies: machines may differ. */
export function timeAt(file: string): number {
  const probe = temporaryOf(file);
  try {
    closeSync(openSync(probe, 'wx'));
    return statSync(probe).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    discard(probe);
  }
}
