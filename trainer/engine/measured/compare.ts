/** Which of two engines multiplies a model's matrices faster on this processor: timed once, and kept in the cache. */
import {createHash} from 'node:crypto';
import {statSync} from 'node:fs';
import {cpus} from 'node:os';
import {join} from 'node:path';
import {cacheFolder} from '../../files/cache-folder.ts';
import {readCached} from '../../files/cached-json.ts';
import {writeWhole} from '../../files/write-whole.ts';
import {answerOf} from '../../process/answer.ts';
import {findBinding, nativeEnvironment} from '../tensorflow/binding.ts';
import {versions} from '../versions.ts';
import type {ProductShape} from './time-product.ts';

/** A matrix that a model multiplies with, and how many of that size it has. */
export interface MatrixSize {
  in: number;
  out: number;
  count: number;
}

/** Seconds of processor time that an engine takes for all of a model's products of so many rows each. */
export interface Compared {
  compiled: number;
  native: number;
}

/** This file's neighbour, as source or as built. */
const timing = new URL(import.meta.url.endsWith('.ts') ? './rates-process.ts' : './rates-process.js', import.meta.url);

/** All shapes together are timed for about this long on both engines; the kinds of matrices of a model are few. */
const [wholeMilliseconds, mostShapes] = [800, 8];
/** Rows of a product: of a batch, fewer where a matrix is so large that they would take longer than this many operations. */
const [mostRows, fewestRows, mostOperations] = [1024, 64, 1e9];
/** Of the process that times them, in seconds of its own. */
const mostSeconds = 60;

/**
 * The two engines at this model's products, on one thread; null where either cannot be timed.
 * @param sizes the matrices of the model
 */
export async function compareEngines(
  sizes: readonly MatrixSize[],
  file: string = join(cacheFolder(), 'engine-rates.json'),
): Promise<Compared | null> {
  const most = sizes.toSorted((a, b) => b.count * b.in * b.out - a.count * a.in * a.out).slice(0, mostShapes);
  const shapes = most.map(size => ({...size, rows: rowsOf(size)}));
  const key = keyOf(shapes);
  const known = (readCached(file) as Record<string, unknown>)[key];
  if (isCompared(known)) return known;
  const found = await timed(shapes);
  if (found === null) return null;
  try {
    writeWhole(file, `${JSON.stringify({...readCached(file), [key]: found}, null, 2)}\n`);
  } catch {
    // A cache that cannot be written costs the measurement only.
  }
  return found;
}

function rowsOf({in: from, out}: MatrixSize): number {
  return Math.max(fewestRows, Math.min(mostRows, 2 ** Math.floor(Math.log2(mostOperations / (2 * from * out)))));
}

/** All that the times depend on. */
function keyOf(shapes: readonly (ProductShape & MatrixSize)[]): string {
  const {node, 'onnxruntime-node': onnxruntime} = versions();
  const addon = findBinding('tfjs-node');
  const native = addon === undefined ? null : [statSync(addon).size, statSync(addon).mtimeMs];
  const all = {processor: cpus()[0]?.model, platform: process.platform, node, onnxruntime, native, shapes};
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

async function timed(shapes: readonly (ProductShape & MatrixSize)[]): Promise<Compared | null> {
  const words = [JSON.stringify(shapes), String(wholeMilliseconds / shapes.length)];
  const question = {program: timing, words, seconds: mostSeconds, environment: nativeEnvironment(1)};
  const answer = await answerOf<{seconds: [number, number][]}>(question);
  if ('fault' in answer) return null;
  const sum = (engine: 0 | 1) =>
    shapes.reduce((all, {count, rows}, i) => all + (count * answer.seconds[i]![engine] * mostRows) / rows, 0);
  const found = {compiled: sum(0), native: sum(1)};
  return isCompared(found) ? found : null;
}

function isCompared(value: unknown): value is Compared {
  const {compiled, native} = (value ?? {}) as Partial<Record<keyof Compared, unknown>>;
  return [compiled, native].every(seconds => typeof seconds === 'number' && seconds > 0);
}
