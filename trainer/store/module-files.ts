/** The files that a user's module is made of: itself and what it names beside itself, for the record of a run. */
import {existsSync, readFileSync, statSync} from 'node:fs';
import {dirname, extname, isAbsolute, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {hashFiles} from './hash.ts';

/** What can name further files. */
const code = new Set(['.mjs', '.js', '.cjs']);
/** Endings that Node adds, and the file that it takes of a folder. */
const completions = ['', '.js', '.cjs', '.json', '/index.js'];
/** Larger files are no modules, and more of them than this belong to no scorer. */
const mostBytes = 1 << 22;
const mostFiles = 1000;

/**
 * SHA-256 by path relative to the module's folder, the module itself left out: every file that a text in quotes names, in
 * the module or in one that it names, as an import, a required file or one that is read. Packages are not followed. A text
 * that only happens to be the name of a file is taken for one; a name that is put together while running is not found.
 */
export async function filesBesideModule(file: string): Promise<Record<string, string>> {
  const home = dirname(resolve(file));
  const found = new Set([resolve(file)]);
  for (const one of found) {
    if (!code.has(extname(one)) || statSync(one).size > mostBytes) continue;
    for (const named of namedIn(one)) if (found.size < mostFiles) found.add(named);
  }
  found.delete(resolve(file));
  const names = [...found].map(one => [relative(home, one).replaceAll('\\', '/'), one] as const).sort();
  return Object.fromEntries(await Promise.all(names.map(async ([name, one]) => [name, await hashFiles(one)] as const)));
}

/** Files that are named between two quotes. The closing one may open the next text: an apostrophe shifts nothing. */
function namedIn(file: string): string[] {
  const texts = readFileSync(file, 'utf8').matchAll(/['"`]([^'"`\n]{1,500})(?=['"`])/g);
  return [...new Set([...texts].map(([, text]) => text ?? ''))].flatMap(text => {
    const path = pathOf(text, dirname(file));
    return path === null ? [] : (completions.map(end => `${path}${end}`).find(isFile) ?? []);
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
