/** Files of run folders, which may come from anywhere: regular files only, opened without waiting, read within bounds. */
import {constants} from 'node:fs';
import {type FileHandle, open, stat} from 'node:fs/promises';

const {O_RDONLY, O_NONBLOCK = 0} = constants;

/** Opens a regular file; rejects for anything else. Whoever calls closes it. */
export async function openRegular(path: string): Promise<FileHandle> {
  // Asked first: opening a device can do something already.
  if (!(await stat(path)).isFile()) throw new Error(`${path} is no regular file.`);
  const file = await open(path, O_RDONLY | O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no regular file.`);
}

/** The text of a file of at most `most` bytes. */
export async function readRegular(path: string, most: number): Promise<string> {
  const file = await openRegular(path);
  try {
    const {size} = await file.stat();
    if (size > most) throw new Error(`${path} has ${size} bytes, more than the ${most} that are read.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
