/** The time that `plan` measured for a sweep, so that the editor says the same: by what is computed and the files it is computed from. */
import {createHash} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {cacheFolder} from '../files/cache-folder.ts';
import {readCached} from '../files/cached-json.ts';
import {stamp} from '../files/stamp.ts';
import {writeWhole} from '../files/write-whole.ts';

/** What was planned. `base`: the folder that its paths start from. */
export interface Planned {
  sweep: Sweep;
  base: string;
  /** Of the model. */
  folder: string;
}

const fileIn = (cache: string) => join(cache, 'plans.json');

/** Plans that are remembered, the last measured ones. */
const mostPlans = 64;

/** Seconds of the whole sweep as `plan` measured them on this machine; null where the sweep or its files have changed since. */
export function plannedSeconds(planned: Planned, cache: string = cacheFolder()): number | null {
  return plansIn(cache).find(([key]) => key === keyOf(planned))?.[1] ?? null;
}

/** Remembers what `plan` measured; a cache that cannot be written costs only the estimate. */
export function rememberPlanned(planned: Planned, seconds: number, cache: string = cacheFolder()): void {
  const own = keyOf(planned);
  const others = plansIn(cache).filter(([key]) => key !== own);
  try {
    mkdirSync(cache, {recursive: true});
    writeWhole(fileIn(cache), JSON.stringify({plans: [[own, seconds], ...others].slice(0, mostPlans)}));
  } catch {
    // As above.
  }
}

function plansIn(cache: string): [key: string, seconds: number][] {
  const {plans} = readCached(fileIn(cache)) as {plans?: unknown};
  return Array.isArray(plans) ? plans.filter(isPlan) : [];
}

const isPlan = (value: unknown): value is [string, number] =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number' && value[1] > 0;

function keyOf({sweep, base, folder}: Planned): string {
  const {name: _, ...computed} = sweep;
  const rows = [...sweep.data.train, ...sweep.evaluate.map(({data}) => data)].map(path => resolve(base, path));
  const files = [join(folder, 'config.json'), ...rows].map(stamp);
  return createHash('sha256')
    .update(JSON.stringify([computed, files]))
    .digest('hex');
}
