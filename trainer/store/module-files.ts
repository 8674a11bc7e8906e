/** The files that a user's module is made of: itself and what it names beside itself, for the record of a run. */
import {existsSync, readFileSync, statSync} from 'node:fs';
import {dirname, extname, isAbsolute, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {hashFiles} from '../files/hash.ts';

/** What can name further files. */
const code = new Set(['.mjs', '.js', '.cjs']);
/** What an import or a require can load. */
const loaded = new Set([...code, '.json', '.wasm', '.node']);
/** Endings that Node adds, and the file that it takes of a folder. */
const completions = ['', '.js', '.cjs', '.json', '/index.js'];
/** Larger files are no modules, and more of them than this belong to no scorer. */
const mostBytes = 1 << 22;
const mostFiles = 1000;

/**
 * SHA-256 by name: every file that a text in quotes names, in the module or in one that it names, and that can be loaded or
 * is read by a URL; the module itself is left out. Names are paths relative to the module's folder, absolute where
 * the text is. Packages are not followed. A text that only happens to be the name of a file is taken for one; a name that
 * is put together while running is not found.
 */
export async function filesBesideModule(file: string): Promise<Record<string, string>> {
  const self = resolve(file);
  const found = new Map([[self, '']]);
  for (const [one, name] of found) {
    if (!code.has(extname(one)) || statSync(one).size > mostBytes) continue;
    for (const {path, absolute} of namedIn(one)) {
      if (found.has(path) || found.size >= mostFiles) continue;
      const near = relative(dirname(self), path).replaceAll('\\', '/');
      found.set(path, absolute || isAbsolute(name) ? path : near);
    }
  }
  found.delete(self);
  const names = [...found].map(([path, name]) => [name, path] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    await Promise.all(names.map(async ([name, path]) => [name, await hashFiles(path)] as const)),
  );
}

/**
 * Files that are named between two quotes: what can be loaded, and anything that a URL is made of. The closing quote may
 * open the next text: an apostrophe shifts nothing.
 */
function namedIn(file: string): {path: string; absolute: boolean}[] {
  const source = readFileSync(file, 'utf8');
  const texts = [...source.matchAll(/['"`]([^'"`\n]{1,500})(?=['"`])/g)];
  return texts.flatMap(({1: text = '', index}) => {
    const named = pathOf(text, dirname(file));
    const path = named && completions.map(end => `${named}${end}`).find(isFile);
    // Other files may be written by the module, such as a log.
    const isRead =
      path && (loaded.has(extname(path)) || /\bURL\(\s*$/.test(source.slice(Math.max(0, index - 40), index)));
    return isRead ? [{path, absolute: text.startsWith('file:') || isAbsolute(text)}] : [];
  });
}

function pathOf(text: string, folder: string): string | null {
  if (text.includes('\0') || text.includes('node_modules')) return null;
  try {
    if (text.startsWith('file:')) return fileURLToPath(text);
    if (isAbsolute(text)) return text;
    return resolve(folder, decodeURI(text.replace(/[?#].*$/, '')));
  } catch {
    // No name of a file.
    return null;
  }
}

function isFile(path: string): boolean {
  try {
    return existsSync(path) && statSync(path).isFile();
  } catch {
    return false;
  }
}
