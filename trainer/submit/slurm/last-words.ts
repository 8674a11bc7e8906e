/** What a task's job said last, from its log. */
import {closeSync, readSync} from 'node:fs';
import {join} from 'node:path';
import {logName} from '../../../core/run/tasks/elements.ts';
import {openRegular} from '../../files/door.ts';

const mostBytes = 4096;
const mostCharacters = 300;

/** The last line of `logs/JOB_INDEX.log` that is not empty; null where there is none. */
export function lastWords(folder: string, element: string): string | null {
  let text: string;
  try {
    const {descriptor, bytes} = openRegular(join(folder, logName(element)));
    try {
      const buffer = Buffer.alloc(Math.min(bytes, mostBytes));
      const read = readSync(descriptor, buffer, 0, buffer.length, Math.max(0, bytes - buffer.length));
      text = buffer.toString('utf8', 0, read);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // The job never began, or its log was taken away: it said nothing.
    return null;
  }
  const line = text
    .split('\n')
    .map(part => part.trim())
    .findLast(part => part !== '');
  return line ? line.slice(-mostCharacters) : null;
}
