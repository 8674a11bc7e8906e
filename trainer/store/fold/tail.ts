import {closeSync, readSync} from 'node:fs';
import {tailBytes} from '../../../core/run/snapshot.ts';
import {openRegular} from '../../files/door.ts';

/** The last bytes of a file's first `bytes`. */
export function tailOf(file: string, bytes: number): string {
  const tail = Buffer.alloc(Math.min(tailBytes, bytes));
  const {descriptor} = openRegular(file);
  try {
    readSync(descriptor, tail, 0, tail.length, bytes - tail.length);
  } finally {
    closeSync(descriptor);
  }
  return tail.toString('latin1');
}
