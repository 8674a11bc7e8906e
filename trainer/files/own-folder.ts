/** A folder that a command writes again and again: replaced whole, and only where nothing but its own files lies in it. */
import {existsSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync} from 'node:fs';
import {join, resolve, sep} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {isRecord} from '../../core/shape.ts';
import {newFolder} from './new-folder.ts';
import {temporaryOf} from './temporary.ts';
import {discard, storeError} from './write-whole.ts';

/** Says of a folder what wrote it, and which files. */
const markName = '.lora-sweep-export.json';

/**
 * Has `fill` write the files of an export, which then stand in `target`: all of them, or what was there before. `kind`: what
 * is written; a folder of another kind, or with files of others in it, is left alone.
 * @returns the folder, absolute
 * @throws SweepError `folder-in-use`, `disk-full`, `cannot-write`, and those of `fill`
 */
export async function ownFolder(
  target: string,
  kind: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const place = existsSync(target) ? realpathSync(target) : resolve(target);
  const isThere = isOurs(place, kind);
  const fresh = isThere ? temporaryOf(place) : place;
  await newFolder(fresh, 0, async folder => {
    await fill(folder);
    writeFileSync(join(folder, markName), `${JSON.stringify({kind, files: filesIn(folder)})}\n`);
  });
  if (isThere) replace(place, fresh);
  return place;
}

/** Whether an earlier export stands there; false where nothing does. */
function isOurs(place: string, kind: string): boolean {
  if (!existsSync(place)) return false;
  const there = entriesIn(place);
  if (there.length === 0) return false;
  const mark = there.includes(markName) ? markIn(join(place, markName)) : null;
  const stranger = mark?.kind === kind ? there.find(name => name !== markName && !mark.files.has(name)) : there[0];
  if (stranger === undefined) return true;
  const what =
    mark && mark.kind !== kind ? `holds an export to ${mark.kind}` : `holds ${stranger}, which no such export wrote`;
  throw new SweepError(
    'folder-in-use',
    `Nothing was written because ${place} ${what}; choose a new or empty folder with --out.`,
    {folder: place},
  );
}

/** What lies in a folder and in those within it, but for these themselves, with forward slashes. */
function entriesIn(place: string): string[] {
  try {
    return filesIn(place);
  } catch (error) {
    throw storeError(error, place);
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter(entry => !entry.isDirectory())
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
    .sort();
}

function markIn(file: string): {kind: string; files: Set<unknown>} | null {
  try {
    const mark: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isRecord(mark) && typeof mark['kind'] === 'string' && Array.isArray(mark['files']))
      return {kind: mark['kind'], files: new Set<unknown>(mark['files'])};
  } catch {
    // Whoever wrote it, it names no files of ours.
  }
  return null;
}

function replace(place: string, fresh: string): void {
  const before = temporaryOf(place);
  try {
    renameSync(place, before);
    try {
      renameSync(fresh, place);
    } catch (error) {
      renameSync(before, place);
      throw error;
    }
  } catch (error) {
    discard(fresh);
    throw storeError(error, place);
  }
  discard(before);
}
