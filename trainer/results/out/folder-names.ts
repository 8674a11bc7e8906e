/** Names of folders for trials, of whom published results may have ids that are no names on every system. */
import {createHash} from 'node:crypto';
import {folderName} from '../../../core/sweep/folder.ts';

/** A folder name for each id, no two alike even where upper and lower case are one; an id that is a good name is its own. */
export function runFolderNames(ids: readonly string[]): string[] {
  const taken = new Set(ids.filter(id => folderName(id) === id).map(id => id.toLowerCase()));
  const own = new Set<string>();
  return ids.map(id => {
    const name = folderName(id);
    const isFree = name === id ? !own.has(id.toLowerCase()) : !taken.has(name.toLowerCase());
    const chosen = isFree && !own.has(name.toLowerCase()) ? name : `${name.slice(0, 90)}-${mark(id)}`;
    own.add(chosen.toLowerCase());
    return chosen;
  });
}

function mark(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 8);
}
