/** `import`: published results become a run folder, to be shown and compared like a run of one's own. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync} from 'node:fs';
import {basename, dirname, extname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';
import {formatLine} from '../../core/run/line.ts';
import {publishedEvents} from '../../core/run/published.ts';
import {runFolderName, runsFolder} from '../../core/sweep/folder.ts';
import {readText} from '../files/door.ts';
import {storeError, writeWhole} from '../files/write-whole.ts';
import {eventsName, manifestName} from '../store/names.ts';
import {version} from '../version.ts';

/**
 * Writes the results of a .json file (a list of rows, or an object with `rows` and `aggregate_rows`) or a .jsonl file
 * (a row a line) into a new run folder, by default `.lora-sweep/<name>` beside the file.
 * @throws SweepError `missing-file`, `bad-results`, `run-exists`, `cannot-write`
 */
export function importResults(file: string, out?: string): {folder: string; rows: number} {
  const text = textOf(file);
  const name = basename(file, extname(file));
  const events = publishedEvents(parsed(file, text), name, basename(file));
  const folder = out === undefined ? join(dirname(resolve(file)), runsFolder, runFolderName(name)) : resolve(out);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new SweepError('run-exists', `${folder} is not empty; give a new folder with --out.`, {folder});
  }
  const at = Date.now();
  try {
    mkdirSync(folder, {recursive: true});
  } catch (error) {
    throw storeError(error, folder);
  }
  const imported = {file: basename(file), sha256: createHash('sha256').update(text).digest('hex')};
  const manifest = {name, versions: {'lora-sweep': version()}, imported, at: new Date(at).toISOString()};
  writeWhole(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  writeWhole(join(folder, eventsName), events.map(event => formatLine({...event, at})).join(''));
  return {folder, rows: events.filter(({event}) => event === 'evaluation' || event === 'aggregate').length};
}

/** Bytes of a file of results: a million rows. */
const mostBytes = 256 << 20;

function textOf(file: string): string {
  try {
    return readText(file, mostBytes);
  } catch (error) {
    throw storeError(error, file);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    if (extname(file) !== '.jsonl') return parseJson(text, file);
    return text
      .split('\n')
      .filter(line => line.trim() !== '')
      .map((line): unknown => parseJson(line, file));
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError('bad-results', `${file} is not JSON (${why}); give rows as .json or .jsonl.`, {file});
  }
}
