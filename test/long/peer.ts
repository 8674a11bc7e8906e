/** transformers and PEFT in the benchmark's Python environment: one process that answers questions. */
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {python} from '../bench/peers/python.ts';

export interface Peer {
  /** Asks peer.py, which says what it can do. */
  ask(question: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): void;
}

export async function openPeer(): Promise<Peer> {
  const child = spawn(await python(), [join(import.meta.dirname, 'peer.py')], {stdio: ['pipe', 'pipe', 'pipe']});
  let complaint = '';
  child.stderr.on('data', chunk => {
    complaint = (complaint + chunk).slice(-4000);
  });
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      for (let line = await lines.next(); !line.done; line = await lines.next())
        if (line.value.startsWith('{')) return JSON.parse(line.value) as Record<string, unknown>;
      throw new Error(`peer.py ended: ${complaint}`);
    },
    close: () => child.stdin.end(),
  };
}

/** Float32 numbers that the other side wrote. */
export function numbersIn(file: string): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The largest difference, relative to the largest number. */
export function relativeDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) throw new Error(`${found.length} numbers instead of ${expected.length}`);
  let difference = 0;
  let size = 0;
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(found[i]! - value));
    size = Math.max(size, Math.abs(value));
  });
  return difference / size;
}
