/** What the file system refuses, as a sentence for the user. */
import {renameSync, rmSync, writeFileSync} from 'node:fs';
import {SweepError} from '../../core/error.ts';

const sentences: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space, then go on with --resume',
  EDQUOT: 'the disk quota is used up; free some space, then go on with --resume',
  EFBIG: 'the file would grow beyond what the system allows',
  EACCES: 'permission denied; check who owns it, or choose another folder with --out',
  EPERM: 'permission denied; check who owns it, or choose another folder with --out',
  EROFS: 'the file system is read-only; choose another folder with --out',
  ENOTDIR: 'a part of its path is a file, not a folder; choose another folder with --out',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'there is no such file or folder',
};

/** The error of a file operation on `file` as a SweepError whose code is the system's, e.g. `disk-full`. */
export function storeError(error: unknown, file: string): SweepError {
  if (error instanceof SweepError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = sentences[code] ?? (error instanceof Error ? error.message : String(error));
  return new SweepError(code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'cannot-write', `${file}: ${why}.`, {
    file,
    system: code,
  });
}

/** Writes the file as a whole or not at all. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, {force: true});
    throw storeError(error, file);
  }
}
