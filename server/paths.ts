/** Paths and addresses of files on a disk; where there is none, browser/paths.ts stands in the place of this. */
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

/** Undefined for a text that is in no file of this machine. */
export function pathOf(uri: string): string | undefined {
  return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
}

export function uriOf(path: string): string {
  return pathToFileURL(path).href;
}

/** The page that explains the problems, beside the built program. */
export const problemsPage: string | undefined = new URL('../../docs/problems.md', import.meta.url).href;

export {dirname as folderOf, join as inFolder, resolve as pathFrom};
