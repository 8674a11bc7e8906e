/** What processes left that were killed in the middle of writing, swept away by the next start. */
import {join} from 'node:path';
import {samplesFolder} from '../../core/run/samples.ts';
import {tasksFolder} from '../../core/run/tasks/names.ts';
import {cacheFolder} from '../files/cache-folder.ts';
import {sweepTemporaries} from '../files/temporary.ts';
import {checkpointsName} from './checkpoint.ts';

/** Of a run folder; `ours`: this process holds its lock. */
export function sweepRunFolder(folder: string, {ours}: {ours: boolean}): void {
  for (const name of ['', 'adapters', checkpointsName, 'models', samplesFolder, tasksFolder])
    sweepTemporaries(join(folder, name), {ours});
}

/** Of the caches, which other processes may be writing to. */
export function sweepCaches(folder: string = cacheFolder()): void {
  for (const name of ['', 'factors', 'tokens', 'python']) sweepTemporaries(join(folder, name));
}
