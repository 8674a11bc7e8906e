/** transformers and PEFT in the benchmark's Python environment, a process a question. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {output, python} from '../bench/python.ts';

/** Asks peer.py; `home` is a folder for what they exchange. */
export async function ask(home: string, question: Record<string, unknown>): Promise<Record<string, unknown>> {
  const file = join(home, 'question.json');
  writeFileSync(file, JSON.stringify(question));
  const printed = await output(await python(), [join(import.meta.dirname, 'peer.py'), file]);
  return JSON.parse(printed.trim().split('\n').at(-1)!) as Record<string, unknown>;
}

/** Float32 numbers that the other side wrote. */
export function numbersIn(file: string): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
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
