/** A snapshot read a line at a time, a trial each: whoever else waits has a turn after every line. */
import {setImmediate} from 'node:timers/promises';
import {type Snapshot, SnapshotReader} from '../../core/run/snapshot.ts';
import {openRegular} from './regular.ts';

const chunkBytes = 1 << 16;
/** Of a line: the first one of a run of a hundred thousand trials has half of this. */
const mostLineBytes = 64 << 20;

/**
 * Null where there is none of this version, or `isWanted`, asked after the first line, says no.
 * @param told hears how much of it is read, from 0 to 1
 */
export async function readSnapshotInPieces(
  path: string,
  isWanted: (head: Pick<Snapshot, 'bytes' | 'tail'>) => Promise<boolean>,
  told: (part: number) => void,
): Promise<Snapshot | null> {
  const reader = new SnapshotReader();
  let isFirst = true;
  for await (const line of linesOf(path)) {
    if (!reader.take(line)) return null;
    if (isFirst && reader.head && !(await isWanted(reader.head))) return null;
    isFirst = false;
    told(reader.part);
    await setImmediate();
  }
  return reader.end();
}

/** The whole lines of a file; none of one that cannot be read, nor behind a line that is too long. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await openRegular(path).catch(() => undefined);
  if (!file) return;
  try {
    let held: Buffer[] = [];
    let heldBytes = 0;
    for (;;) {
      const {buffer, bytesRead} = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
      if (bytesRead === 0) return;
      let rest = buffer.subarray(0, bytesRead);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        held.push(rest.subarray(0, end));
        yield Buffer.concat(held).toString('utf8');
        [held, heldBytes] = [[], 0];
        rest = rest.subarray(end + 1);
      }
      held.push(rest);
      heldBytes += rest.length;
      if (heldBytes > mostLineBytes) return;
    }
  } finally {
    await file.close();
  }
}
