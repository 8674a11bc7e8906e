/** From what a sweep file calls a model to a folder on this machine. Nothing is ever fetched. */
import {isAbsolute, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {entryOf} from '../files/door.ts';
import {cachedSnapshot, modelCache, parseHubModel} from '../hub/cache.ts';

/**
 * Where `model` lies: a folder (or GGUF file) relative to `base` (the sweep file's folder), else a hub id (`org/name`, or
 * `org/name@revision`) in the local hub cache.
 * @throws SweepError `missing-file` saying where it looked
 */
export function findModel(model: string, base: string): string {
  const folder = resolve(base, model);
  const found = entryOf(folder);
  if (found?.isDirectory() || (found?.isFile() && folder.endsWith('.gguf'))) return folder;
  const hub = isAbsolute(model) || model.startsWith('.') ? null : parseHubModel(model);
  if (hub === null || !hub.id.includes('/'))
    throw new SweepError(
      'missing-file',
      `There is no model folder ${folder}; give a folder that has a config.json, a .gguf file, or a hub id.`,
      {model, looked: [folder]},
    );
  const snapshot = cachedSnapshot(hub);
  if (snapshot !== null) return snapshot;
  const cache = modelCache(hub);
  throw new SweepError(
    'missing-file',
    `The model ${model} is neither the folder ${folder} nor in the hub cache ${cache}; fetch it with "lora-sweep fetch ${model}" or give a folder.`,
    {model, looked: [folder, cache], fetch: model},
  );
}
