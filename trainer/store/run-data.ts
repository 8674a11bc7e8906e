/** What a trained adapter or model was trained on, as its run folder says. */
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {readManifest} from './manifest.ts';

/** The data settings of the sweep whose run folder holds this adapter, or this model with all weights trained. */
export function dataOfRun(trained: string): DataSettings | undefined {
  const file = join(resolve(trained), '..', '..', 'manifest.json');
  return existsSync(file) ? readManifest(file)?.sweep?.data : undefined;
}
