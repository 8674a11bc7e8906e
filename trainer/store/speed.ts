/** How fast this machine trained: what an estimate goes by before anything of a sweep itself was measured. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../files/cache-folder.ts';
import {readCached} from '../files/cached-json.ts';
import {writeWhole} from '../files/write-whole.ts';

/** A training as it was measured. */
export interface MeasuredSpeed {
  /** Floating-point operations of one step: small steps are mostly start-up, so that they say nothing of large ones. */
  stepFlops: number;
  /** Of training, all workers together. */
  flopsPerSecond: number;
}

const fileIn = (folder: string) => join(folder, 'speed.json');

/** A measured speed counts for steps with up to this many times as much to do, or as little. */
const nearby = 8;

/** Steps this much apart are measurements of one kind, of which the last one counts. */
const alike = 2;

/** Kinds that are remembered, the last measured ones. */
const mostKinds = 16;

const apart = (a: number, b: number) => Math.max(a / b, b / a);

/** Floating-point operations of training a second for steps of this size, as the nearest measured ones ran; null where none was near. */
export function speedNear(stepFlops: number, folder: string = cacheFolder()): number | null {
  const near = speedsIn(folder)
    .filter(known => apart(known.stepFlops, stepFlops) <= nearby)
    .sort((a, b) => apart(a.stepFlops, stepFlops) - apart(b.stepFlops, stepFlops));
  return near[0]?.flopsPerSecond ?? null;
}

/** Remembers a measured speed; a cache that cannot be written costs only the estimate. */
export function rememberSpeed(measured: MeasuredSpeed, folder: string = cacheFolder()): void {
  if (!isMeasured(measured)) return;
  const others = speedsIn(folder).filter(({stepFlops}) => apart(stepFlops, measured.stepFlops) > alike);
  try {
    mkdirSync(folder, {recursive: true});
    writeWhole(fileIn(folder), JSON.stringify({speeds: [measured, ...others].slice(0, mostKinds)}));
  } catch {
    // As above.
  }
}

function speedsIn(folder: string): MeasuredSpeed[] {
  const {speeds} = readCached(fileIn(folder)) as {speeds?: unknown};
  return Array.isArray(speeds) ? speeds.filter(isMeasured) : [];
}

function isMeasured(value: unknown): value is MeasuredSpeed {
  if (typeof value !== 'object' || value === null) return false;
  const {stepFlops, flopsPerSecond} = value as Partial<MeasuredSpeed>;
  return [stepFlops, flopsPerSecond].every(one => typeof one === 'number' && one > 0 && Number.isFinite(one));
}
