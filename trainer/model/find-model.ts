/** From what a sweep file calls a model to a folder on this machine. Nothing is ever fetched. */
import {existsSync, readFileSync, statSync} from 'node:fs';
import {homedir} from 'node:os';
import {isAbsolute, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';

const hubId = /^[\w.-]+\/[\w.-]+$/;

/**
 * The folder of `model`: a folder relative to `base` (the sweep file's folder), else a hub id (`org/name`) in the local
 * hub cache as huggingface_hub lays it out (HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub).
 * @throws SweepError `missing-file` saying where it looked
 */
export function findModel(model: string, base: string): string {
  const folder = resolve(base, model);
  if (isFolder(folder)) return folder;
  if (isAbsolute(model) || model.startsWith('.') || !hubId.test(model) || model.includes('..')) {
    throw new SweepError(
      'missing-file',
      `There is no model folder ${folder}; give a folder that has a config.json, or a hub id.`,
      {
        model,
        looked: [folder],
      },
    );
  }
  const cached = join(hubCache(), `models--${model.replace('/', '--')}`);
  const revision = join(cached, 'refs', 'main');
  if (existsSync(revision)) {
    const snapshot = join(cached, 'snapshots', readFileSync(revision, 'utf8').trim());
    if (isFolder(snapshot)) return snapshot;
  }
  throw new SweepError(
    'missing-file',
    `The model ${model} is neither the folder ${folder} nor in the hub cache ${cached}; fetch it with "hf download ${model}" or give a folder.`,
    {model, looked: [folder, cached]},
  );
}

/** What a folder of the hub cache is: `org/name` and the commit; null for any other folder. */
export function hubSnapshot(folder: string): {id: string; revision: string} | null {
  const [, organisation, name, revision] = /models--(.+?)--([^/\\]+)[/\\]snapshots[/\\]([^/\\]+)$/.exec(folder) ?? [];
  return revision === undefined ? null : {id: `${organisation}/${name}`, revision};
}

export function hubCache(): string {
  const {HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME} = process.env;
  if (HF_HUB_CACHE) return withHome(HF_HUB_CACHE);
  if (HF_HOME) return join(withHome(HF_HOME), 'hub');
  return join(XDG_CACHE_HOME ? withHome(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'huggingface', 'hub');
}

function withHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}
