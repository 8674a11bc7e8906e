/** Rows of Parquet files, a group of rows at a time. */
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import {compressors} from 'hyparquet-compressors';
import {SweepError} from '../../core/error.ts';
import {parsers, plain, withBareNumbers} from './parquet-values.ts';
import type {Row} from './row.ts';
import type {Reading} from './rows.ts';

/**
 * The rows of a Parquet file in its order; a row's line is its number from 1. All of the format's compressions and
 * encodings; nested columns become lists and objects. Only one row group is held at a time.
 * @throws SweepError `bad-data` (file and row); errors of the file system as they are
 */
export async function* parquetRows(
  file: string,
  limit: number,
  {columns, optional = [], bytesRead}: Reading,
): AsyncGenerator<Row> {
  const {metadata, ...opened} = await open(file);
  const there = namesOf(metadata);
  // A column that is not there is told of beside all that are.
  const needed = columns?.every(name => there.includes(name))
    ? [...columns, ...optional.filter(name => there.includes(name) && !columns.includes(name))]
    : undefined;
  const tree = parquetSchema(metadata);
  const nodes = new Map(tree.children.map(node => [node.element.name, node]));
  const bare = withBareNumbers(metadata);
  const groups = metadata.row_groups.map(group => Number(group.num_rows));
  const total = groups.reduce((sum, rows) => sum + rows, 0);
  let start = 0;
  for (const rows of groups) {
    const end = Math.min(start + rows, limit);
    if (end <= start) continue;
    const range = {rowStart: start, rowEnd: end, ...(needed ? {columns: needed} : {})};
    let found: Record<string, unknown>[];
    try {
      found = await parquetReadObjects({...opened, metadata: bare, ...range, compressors, parsers, utf8: false});
    } catch (error) {
      throw damaged(file, error, `, rows ${start + 1} to ${end}`);
    }
    if (found.length !== end - start) throw damaged(file, `there are ${found.length}`, `, rows ${start + 1} to ${end}`);
    for (const [index, values] of found.entries()) {
      const entries = Object.entries(values).map(([name, value]) => [name, plain(value, nodes.get(name)!)]);
      yield {values: Object.fromEntries(entries), file, line: start + index + 1};
    }
    bytesRead?.(((end - start) / total) * opened.file.byteLength);
    start = end;
  }
}

/** Names of the columns at the top of a Parquet file's schema. */
export async function parquetColumns(file: string): Promise<string[]> {
  return namesOf((await open(file)).metadata);
}

interface Opened {
  file: Awaited<ReturnType<typeof asyncBufferFromFile>>;
  metadata: FileMetaData;
}

async function open(path: string): Promise<Opened> {
  const file = await asyncBufferFromFile(path);
  // The signature at the beginning is all there is of a file whose end is missing.
  if (file.byteLength < 12) throw damaged(path, 'it has only a few bytes');
  try {
    return {file, metadata: await parquetMetadataAsync(file)};
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw damaged(path, error);
  }
}

function namesOf(metadata: FileMetaData): string[] {
  return parquetSchema(metadata).children.map(({element}) => element.name);
}

function damaged(file: string, error: unknown, where = ''): SweepError {
  const why = error instanceof Error ? error.message : String(error);
  const sentence = `${file}${where}: this is not a whole Parquet file (${why.slice(0, 200)}); copy or fetch it again.`;
  return new SweepError('bad-data', sentence, {file});
}
