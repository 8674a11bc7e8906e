/** `import`: published results become a run folder, to be shown and compared like a run of one's own. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, statSync} from 'node:fs';
import {basename, dirname, extname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {formatLine} from '../../core/run/line.ts';
import {csvRows} from '../../core/run/published/csv.ts';
import {eventsOf, type PublishedOptions, publishedEvents} from '../../core/run/published/events.ts';
import {isPeftResult, type PeftFile, peftResults} from '../../core/run/published/peft.ts';
import {runFolderName, runsFolder} from '../../core/sweep/folder.ts';
import {readText} from '../files/door.ts';
import {storeError, writeWhole} from '../files/write-whole.ts';
import {eventsName, manifestName} from '../store/names.ts';
import {version} from '../version.ts';

export interface ImportOptions extends Omit<PublishedOptions, 'placeOf'> {
  /** A new folder; default `.lora-sweep/NAME` beside what is imported. */
  out?: string;
}

/**
 * Writes results into a new run folder: a .json file (a list of rows, or an object with `rows`, `aggregate_rows`, `curvature_rows`), a .jsonl
 * file (a row a line), a .csv or .tsv file, or result files of PEFT's comparison of methods, several or a folder of them.
 * @throws SweepError `missing-file`, `bad-results`, `run-exists`, `cannot-write`
 */
export function importResults(
  given: string | readonly string[],
  {out, ...options}: ImportOptions = {},
): {folder: string; rows: number; remarks: string[]} {
  const paths = [given].flat();
  const [first] = paths as [string];
  const files = paths.flatMap(filesIn);
  const name = basename(first, isFolder(first) ? '' : extname(first));
  const texts = files.map(textOf);
  const events = eventsIn(files, texts, {name, source: paths.map(path => basename(path)).join(', ')}, options);
  const folder = out === undefined ? join(dirname(resolve(first)), runsFolder, runFolderName(name)) : resolve(out);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new SweepError('run-exists', `${folder} is not empty; give a new folder with --out.`, {folder});
  }
  const at = Date.now();
  try {
    mkdirSync(folder, {recursive: true});
  } catch (error) {
    throw storeError(error, folder);
  }
  const imported = files.map((file, k) => ({
    file: basename(file),
    sha256: createHash('sha256').update(texts[k]!).digest('hex'),
  }));
  const manifest = {
    ...{name, versions: {'lora-sweep': version()}, imported: imported.length === 1 ? imported[0] : imported},
    at: new Date(at).toISOString(),
  };
  writeWhole(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  writeWhole(join(folder, eventsName), events.map(event => formatLine({...event, at})).join(''));
  return {
    folder,
    rows: events.filter(({event}) => ['evaluation', 'aggregate', 'curvature'].includes(event)).length,
    remarks: events.flatMap(event => (event.event === 'note' ? event.message : [])),
  };
}

function eventsIn(
  files: readonly string[],
  texts: readonly string[],
  {name, source}: {name: string; source: string},
  options: PublishedOptions,
): RunEventBody[] {
  const [file, text] = [files[0]!, texts[0]!];
  if (files.length === 1 && /^\.(csv|tsv)$/.test(extname(file))) {
    const {rows, lines} = csvRows(text);
    return publishedEvents(rows, name, source, {...options, placeOf: (_, k) => `line ${lines[k]}`});
  }
  const documents = files.map((one, k): PeftFile => ({name: basename(one), document: parsed(one, texts[k]!)}));
  if (documents.length === 1 && !isPeftResult(documents[0]!.document))
    return publishedEvents(documents[0]!.document, name, source, options);
  if (!documents.some(({document}) => isPeftResult(document)))
    throw new SweepError(
      'bad-results',
      `None of the ${files.length} files is a result of PEFT's comparison of methods; files of rows are imported one at a time.`,
      {files},
    );
  const results = peftResults(documents);
  if (results.values.length === 0)
    throw new SweepError('bad-results', `These results cannot be imported: ${results.remarks.join(' ')}`, {files});
  return eventsOf(results, name, source, options.tune);
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** The .json files of a folder, or the file itself. */
function filesIn(path: string): string[] {
  if (!isFolder(path)) return [path];
  const names = readdirSync(path)
    .filter(name => name.endsWith('.json'))
    .sort();
  if (names.length > 0) return names.map(name => join(path, name));
  throw new SweepError('missing-file', `${path} has no .json file in it; give the file, or a folder of result files.`, {
    file: path,
  });
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
    throw new SweepError('bad-results', `${file} is not JSON (${why}); give rows as .json, .jsonl or .csv.`, {file});
  }
}
