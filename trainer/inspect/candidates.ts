/** What lies on this machine that a sweep file could name. */
import {existsSync, readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {hubModels, sizeOfOffer} from '../../core/hub/models.ts';
import type {Candidate} from '../../core/sweep/inspection.ts';
import {fileEndings} from '../../core/sweep/table/field.ts';
import {entryOf, readText, sizeOfRegular} from '../files/door.ts';
import {readJsonFile} from '../files/json-file.ts';
import {hubCache} from '../hub/cache.ts';

/** A list longer than this is no help. */
const mostCandidates = 200;
/** Folders that hold no sweep files of a user's own. */
const passedOver = new Set(['node_modules', 'dist', 'out', '__pycache__']);
const deepest = 8;

/** Files and folders that a half-typed path can become, and for models those of the hub cache too. */
export function candidates(kind: 'data' | 'model' | 'folder', typed: string, base: string): Candidate[] {
  const found = beside(kind, typed, base);
  return [...found, ...(kind === 'model' ? ofTheHub() : [])].slice(0, mostCandidates);
}

/** Entries of the folder that has been typed so far. */
function beside(kind: 'data' | 'model' | 'folder', typed: string, base: string): Candidate[] {
  const above = typed.slice(0, typed.lastIndexOf('/') + 1);
  const folder = resolve(base, above || '.');
  return entriesOf(folder).flatMap(({name, isFolder}): Candidate[] => {
    if (name.startsWith('.')) return [];
    const text = `${above}${name}`;
    if (isFolder) {
      const model = existsSync(join(folder, name, 'config.json'));
      if (kind === 'model' && model) return [{text, kind: 'model', detail: describeModel(join(folder, name))}];
      return [{text: `${text}/`, kind: 'folder', detail: ''}];
    }
    if (kind !== 'data' || !fileEndings.some(ending => name.toLowerCase().endsWith(ending))) return [];
    const bytes = sizeOfRegular(join(folder, name));
    return bytes === undefined ? [] : [{text, kind: 'file', detail: sizeText(bytes)}];
  });
}

/** Those of the cache, and some that are small enough to begin with. */
function ofTheHub(): Candidate[] {
  const cached = cachedModels();
  const others = hubModels.filter(({id}) => !cached.some(({text}) => text === id));
  const offers = others.map(offer => ({
    text: offer.id,
    kind: 'model' as const,
    detail: `hub, ${sizeOfOffer(offer)} to fetch`,
    absent: true as const,
  }));
  return [...cached, ...offers];
}

function cachedModels(): Candidate[] {
  return entriesOf(hubCache()).flatMap(({name}): Candidate[] => {
    const id = /^models--(.+?)--(.+)$/.exec(name);
    if (!id) return [];
    return [{text: `${id[1]}/${id[2]}`, kind: 'model', detail: 'hub cache'}];
  });
}

function describeModel(folder: string): string {
  try {
    const family = readJsonFile(join(folder, 'config.json'))?.['model_type'];
    return typeof family === 'string' ? family : 'model';
  } catch {
    // Whether it is sound is said when it is chosen.
    return 'model';
  }
}

function entriesOf(folder: string): {name: string; isFolder: boolean}[] {
  try {
    return readdirSync(folder, {withFileTypes: true})
      .map(entry => ({
        name: entry.name,
        isFolder:
          entry.isDirectory() ||
          (entry.isSymbolicLink() && (entryOf(join(folder, entry.name))?.isDirectory() ?? false)),
      }))
      .sort((a, b) => a.name.localeCompare(b.name));
  } catch {
    // A folder that is not there or may not be read has no entries to offer.
    return [];
  }
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Every sweep file below a folder, given as a file: URI; hidden folders and those of packages are passed over. */
export function sweepFiles(folder: string): {file: string; text: string}[] {
  if (!folder.startsWith('file:')) return [];
  const found: {file: string; text: string}[] = [];
  const walk = (path: string, depth: number): void => {
    for (const {name, isFolder} of entriesOf(path)) {
      const whole = join(path, name);
      if (isFolder && depth < deepest && !name.startsWith('.') && !passedOver.has(name)) walk(whole, depth + 1);
      else if (!isFolder && /\.sweep\.ya?ml$/.test(name)) found.push(...sweepFile(whole));
    }
  };
  walk(fileURLToPath(folder), 0);
  return found;
}

/** Bytes beyond which a sweep file is refused anyway. */
const mostBytes = 16 << 20;

/** What cannot be read is passed over: opening it says why. */
function sweepFile(file: string): {file: string; text: string}[] {
  try {
    return [{file, text: readText(file, mostBytes)}];
  } catch {
    return [];
  }
}
