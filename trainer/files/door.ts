/**
 * The one door for files that users and strangers give: regular files only, opened without waiting, read within bounds.
 * A pipe would wait for ever, a device never ends, and a few bytes of an archive can be made to fill a disk.
 */
import {closeSync, constants, createReadStream, fstatSync, openSync, readSync, type Stats, statSync} from 'node:fs';
import {SweepError} from '../../core/error.ts';
import {lookingAt} from './looking.ts';

const chunkBytes = 1 << 16;
/** Not there on Windows, which has neither pipes nor terminals among its files. */
const {O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0} = constants;

/**
 * Opens a regular file for reading; whoever calls closes the descriptor.
 * @throws SweepError `bad-file` for a folder, pipe, socket or device; errors of the file system as they are
 */
export function openRegular(path: string): {descriptor: number; bytes: number} {
  lookingAt(path);
  // Asked first: opening a device can do something already.
  refuseOthers(path, statSync(path));
  const descriptor = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const found = fstatSync(descriptor);
    refuseOthers(path, found);
    return {descriptor, bytes: found.size};
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function refuseOthers(path: string, found: Stats): void {
  if (found.isFile()) return;
  const kind = found.isDirectory()
    ? 'a folder'
    : found.isFIFO()
      ? 'a pipe'
      : found.isSocket()
        ? 'a socket'
        : found.isCharacterDevice() || found.isBlockDevice()
          ? 'a device'
          : 'no regular file';
  throw new SweepError('bad-file', `${path} is ${kind}; a regular file belongs there.`, {file: path});
}

/** What stands under a path; undefined where nothing does, or where that cannot be seen. Never opens anything. */
export function entryOf(path: string): Stats | undefined {
  try {
    return statSync(path, {throwIfNoEntry: false});
  } catch {
    // A circle of links, a name too long, a folder that may not be entered: who opens it hears why.
    return undefined;
  }
}

/** Size in bytes of a regular file; undefined where there is none. */
export function sizeOfRegular(path: string): number | undefined {
  const found = entryOf(path);
  return found?.isFile() ? found.size : undefined;
}

/**
 * A whole file of at most `most` bytes, whatever its entry says of its size.
 * @throws SweepError `bad-file`; errors of the file system as they are
 */
export function readBytes(path: string, most: number): Buffer {
  const {descriptor, bytes} = openRegular(path);
  try {
    if (bytes > most) throw tooLarge(path, most);
    // One byte more than is there, so that the end is seen without another buffer.
    let part = Buffer.allocUnsafe(bytes + 1);
    const before: Buffer[] = [];
    let [length, filled] = [0, 0];
    for (;;) {
      const read = readSync(descriptor, part, filled, part.length - filled, null);
      filled += read;
      length += read;
      if (length > most) throw tooLarge(path, most);
      if (read === 0) {
        const last = part.subarray(0, filled);
        return before.length === 0 ? last : Buffer.concat([...before, last]);
      }
      if (filled < part.length) continue;
      before.push(part);
      part = Buffer.allocUnsafe(chunkBytes);
      filled = 0;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The same as UTF-8 text. */
export function readText(path: string, most: number): string {
  return readBytes(path, most).toString('utf8');
}

/** The bytes of a regular file in chunks, from `start` on. Errors come out of the iteration. */
export async function* chunksOf(path: string, start = 0, size = 1 << 20): AsyncGenerator<Buffer> {
  const {descriptor, bytes} = openRegular(path);
  // Buffers of what is there: a thousand small files would need a thousand large ones.
  const highWaterMark = Math.min(size, Math.max(chunkBytes, bytes - start));
  yield* createReadStream(path, {fd: descriptor, start, highWaterMark});
}

function tooLarge(path: string, most: number): SweepError {
  return new SweepError(
    'bad-file',
    `${path} has more than ${megabytes(most)}, the most that is read of such a file; it is not what its name says, or damaged.`,
    {file: path},
  );
}

/** A limit in words. */
export function megabytes(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes >> 10} kB` : `${bytes >> 20} MB`;
}
