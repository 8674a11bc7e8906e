/** A file that is written piece by piece, in blocks. */
import {closeSync, openSync, writeSync} from 'node:fs';

const blockBytes = 1 << 20;

/** Writes the pieces of a new file one after another. Errors are those of the file system. */
export function writePieces(file: string, pieces: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, 'wx');
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const write = (): void => {
    const block = Buffer.concat(waiting);
    for (let done = 0; done < block.length; ) done += writeSync(descriptor, block, done);
    [waiting, bytes] = [[], 0];
  };
  try {
    for (const piece of pieces) {
      waiting.push(piece);
      bytes += piece.length;
      if (bytes >= blockBytes) write();
    }
    write();
  } finally {
    closeSync(descriptor);
  }
}
