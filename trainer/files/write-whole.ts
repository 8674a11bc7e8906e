/** What the file system refuses, as a sentence for the user; files that are written whole or not at all. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {goOn} from '../process/go-on.ts';
import {temporaryOf} from './temporary.ts';

/** `ON` stands for what goes on with the work. */
const sentences: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space, then go on with ON',
  EDQUOT: 'the disk quota is used up; free some space, then go on with ON',
  EFBIG:
    'the file would grow beyond what the system allows (ulimit -f says how much); raise the limit, then go on with ON',
  EACCES: 'permission denied; check who owns it, or choose another folder with --out',
  EPERM: 'permission denied; check who owns it, or choose another folder with --out',
  EROFS: 'the file system is read-only; make it writable and go on with ON, or choose another folder with --out',
  ENOTDIR: 'a part of its path is a file, not a folder; choose another folder with --out',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'there is no such file or folder',
  EIO: 'the disk reports an error; look after it, then go on with ON',
  EMFILE: 'too many files are open (ulimit -n says how many may be); raise the limit, then go on with ON',
  ENFILE: 'too many files are open on this machine; close some, then go on with ON',
  ESTALE: 'the network drive has lost it; connect it again, then go on with ON',
  ENAMETOOLONG: 'its path is too long; choose another folder with --out',
};

/** The error of a file operation on `file` as a SweepError whose code is the system's, e.g. `disk-full`. `option`: by which another place is chosen. */
export function storeError(error: unknown, file: string, option = '--out'): SweepError {
  if (error instanceof SweepError) return error;
  const code = systemCode(error);
  const why =
    sentences[code]?.replace('ON', () => goOn()).replace('--out', option) ??
    (error instanceof Error ? error.message : String(error));
  return new SweepError(code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'cannot-write', `${file}: ${why}.`, {
    file,
    system: code,
  });
}

/** E.g. `ENOSPC`; empty where it is no error of the system. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether something could not be stored: the fault is the disk's, not that of the work that wanted to write. */
export function isStoreError(error: {code?: unknown}): boolean {
  return error.code === 'disk-full' || error.code === 'cannot-write' || error.code === 'folder-gone';
}

/** Writes the file as a whole or not at all; it survives a power cut. */
export function writeWhole(file: string, text: string): void {
  const temporary = temporaryOf(file);
  try {
    writeFileSync(temporary, text, {flush: true});
    renameSync(temporary, file);
    syncFolder(dirname(file));
  } catch (error) {
    discard(temporary);
    throw storeError(error, file);
  }
}

/** What file systems say that know no second name for a file. */
const withoutLinks = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/** As `writeWhole`, for a file that is not there yet; false where another process, of any machine, was first. */
export function writeNew(file: string, text: string): boolean {
  const temporary = temporaryOf(file);
  try {
    writeFileSync(temporary, text, {flush: true});
    linkNew(temporary, file, text);
    syncFolder(dirname(file));
    return true;
  } catch (error) {
    // A network drive may say so of what it has just done.
    if (systemCode(error) === 'EEXIST') return statSync(temporary, {throwIfNoEntry: false})?.nlink === 2;
    throw storeError(error, file);
  } finally {
    discard(temporary);
  }
}

function linkNew(temporary: string, file: string, text: string): void {
  try {
    linkSync(temporary, file);
  } catch (error) {
    if (!withoutLinks.includes(systemCode(error))) throw error;
    writeFileSync(file, text, {flag: 'wx', flush: true});
  }
}

/** Removes what was begun; the error that led here is the one to tell. */
export function discard(path: string): void {
  try {
    rmSync(path, {recursive: true, force: true});
  } catch {
    // It stays until the next start sweeps it away.
  }
}

/** The names in a folder survive a power cut from here on. */
export function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    // Some file systems cannot.
    if (systemCode(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(handle);
  }
}

/**
 * A folder inside a run folder, made where it is missing. The run folder itself is never made again: where it was moved away,
 * nothing is to be written in its old place.
 * @throws SweepError `folder-gone`, and as `storeError`
 */
export function insideRun(folder: string, name: string): string {
  const inside = join(folder, name);
  try {
    mkdirSync(inside);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') throw folderGone(folder);
    if (code !== 'EEXIST') throw storeError(error, inside);
    // A link may lead anywhere.
    const found = lstatSync(inside, {throwIfNoEntry: false});
    if (found && !found.isDirectory()) throw storeError(Object.assign(new Error(), {code: 'ENOTDIR'}), inside);
  }
  return inside;
}

/** The run folder is not where it was when the run began. */
export function folderGone(folder: string): SweepError {
  return new SweepError(
    'folder-gone',
    `${folder}: the run folder was moved, deleted or replaced while the run was at work; put it back, then go on with ${goOn()}.`,
    {folder},
  );
}
