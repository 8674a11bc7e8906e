/** The local cache of the Hugging Face hub, laid out as huggingface_hub does: blobs by content, snapshots of links, refs. */
import {copyFileSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync} from 'node:fs';
import {homedir} from 'node:os';
import {basename, dirname, join, relative} from 'node:path';
import {entryOf, readText} from '../files/door.ts';
import {storeError, writeWhole} from '../files/write-whole.ts';

/** A model on the hub, at a branch, tag or commit. */
export interface HubModel {
  /** `org/name`, or `name` for a few old ones. */
  id: string;
  revision: string;
}

const form = /^((?:[\w.-]+\/)?[\w.-]+)(?:@([\w./-]+))?$/;
const commit = /^[0-9a-f]{40}$/;

/** Reads `org/name` or `org/name@revision` (default: main); null where it can be neither. */
export function parseHubModel(text: string): HubModel | null {
  const [, id, revision = 'main'] = form.exec(text) ?? [];
  if (id === undefined || [...id.split('/'), ...revision.split('/')].some(part => /^\.*$/.test(part))) return null;
  return {id, revision};
}

/** HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. */
export function hubCache(): string {
  const {HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE} = process.env;
  const own = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  return own ? withHome(own) : join(hubHome(), 'hub');
}

/** HF_HOME, else ~/.cache/huggingface. */
export function hubHome(): string {
  const {HF_HOME, XDG_CACHE_HOME} = process.env;
  if (HF_HOME) return withHome(HF_HOME);
  return join(XDG_CACHE_HOME ? withHome(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'huggingface');
}

/** The cache's folder of a model. */
export function modelCache({id}: Pick<HubModel, 'id'>): string {
  return join(hubCache(), `models--${id.replaceAll('/', '--')}`);
}

/** The folder of a model at its revision, where the cache has it. */
export function cachedSnapshot(model: HubModel): string | null {
  const cache = modelCache(model);
  const named = join(cache, 'refs', model.revision);
  const sha = commit.test(model.revision) ? model.revision : existsSync(named) ? refIn(named) : '';
  const snapshot = join(cache, 'snapshots', sha);
  // A name, never a way out of the cache.
  return /^\w+$/.test(sha) && isFolder(snapshot) ? snapshot : null;
}

/** A commit, whatever else stands there. */
function refIn(file: string): string {
  try {
    return readText(file, 1 << 12).trim();
  } catch {
    // What is no file means no commit.
    return '';
  }
}

/** What a folder of the cache is: `org/name` and the commit; null for any other folder. */
export function snapshotOf(folder: string): {id: string; revision: string} | null {
  const real = realpathSync(folder);
  const model = basename(dirname(dirname(real)));
  const isSnapshot = basename(dirname(real)) === 'snapshots' && model.startsWith('models--');
  if (!isSnapshot) return null;
  return {id: model.slice('models--'.length).replaceAll('--', '/'), revision: basename(real)};
}

/** Shows a blob under its name in a snapshot. */
export function linkIntoSnapshot(blob: string, file: string): void {
  try {
    mkdirSync(dirname(file), {recursive: true});
    rmSync(file, {force: true});
    try {
      symlinkSync(relative(dirname(file), blob), file);
    } catch {
      // Windows allows links to some users only.
      copyFileSync(blob, file);
    }
  } catch (error) {
    throw storeError(error, file);
  }
}

/** Makes a branch or tag mean this commit. Done last, so that it never means a snapshot that is not whole. */
export function writeRef(model: HubModel, sha: string): void {
  if (model.revision === sha) return;
  const file = join(modelCache(model), 'refs', model.revision);
  try {
    mkdirSync(dirname(file), {recursive: true});
  } catch (error) {
    throw storeError(error, file);
  }
  writeWhole(file, sha);
}

function withHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function isFolder(path: string): boolean {
  return entryOf(path)?.isDirectory() ?? false;
}
