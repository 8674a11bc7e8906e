import {entryOf} from './door.ts';

/** A file as it is now: path, time of its last change in milliseconds, bytes; the path alone where it is not there. */
export function stamp(file: string): [string, number, number] | [string] {
  const found = entryOf(file);
  return found ? [file, found.mtimeMs, found.size] : [file];
}
