/** Rows of Parquet files, a group of rows at a time. */
import {closeSync, readSync} from 'node:fs';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import {compressors} from 'hyparquet-compressors';
import {SweepError} from '../../../core/error.ts';
import {megabytes, openRegular} from '../../files/door.ts';
import {checkFooter, GroupBounds, mostFooterBytes, rangeOf} from './parquet-bounds.ts';
import {parsers, plain, withBareNumbers} from './parquet-values.ts';
import type {Reading} from './reading.ts';
import type {Row} from './row.ts';

/**
 * The rows of a Parquet file in its order; a row's line is its number from 1. All of the format's compressions and
 * encodings; nested columns become lists and objects. Only one row group is held at a time.
 * @throws SweepError `bad-data` (file and row); errors of the file system as they are
 */
export async function* parquetRows(file: string, limit: number, reading: Reading): AsyncGenerator<Row> {
  const opened = open(file);
  try {
    yield* rowsOf(opened, file, limit, reading);
  } finally {
    closeSync(opened.descriptor);
  }
}

async function* rowsOf(
  {metadata, schema, source}: Opened,
  file: string,
  limit: number,
  {columns, optional = [], bytesRead}: Reading,
): AsyncGenerator<Row> {
  const there = namesOf(schema);
  // A column that is not there is told of beside all that are.
  const needed = columns?.every(name => there.includes(name))
    ? [...columns, ...optional.filter(name => there.includes(name) && !columns.includes(name))]
    : undefined;
  const nodes = new Map(schema.children.map(node => [node.element.name, node]));
  const bare = withBareNumbers(metadata);
  const groups = metadata.row_groups.map(group => Number(group.num_rows));
  const total = groups.reduce((sum, rows) => sum + rows, 0);
  let start = 0;
  for (const [number, rows] of groups.entries()) {
    const end = Math.min(start + rows, limit);
    if (end <= start) continue;
    const range = {rowStart: start, rowEnd: end, ...(needed ? {columns: needed} : {})};
    let found: Record<string, unknown>[];
    try {
      const group = metadata.row_groups[number]!;
      const bounds = new GroupBounds(group, schema);
      for (const [index, chunk] of group.columns.entries()) {
        if (needed && !needed.includes(chunk.meta_data?.path_in_schema[0] ?? '')) continue;
        const {start: from, end: to} = rangeOf(chunk);
        bounds.check(index, new DataView(await source.slice(from, to)));
      }
      found = await parquetReadObjects({
        file: source,
        metadata: bare,
        ...range,
        compressors,
        parsers,
        utf8: false,
      });
    } catch (error) {
      throw damaged(file, error, `, rows ${start + 1} to ${end}`);
    }
    if (found.length !== end - start) throw damaged(file, `there are ${found.length}`, `, rows ${start + 1} to ${end}`);
    for (const [index, values] of found.entries()) {
      const line = start + index + 1;
      let entries: [string, unknown][];
      try {
        entries = Object.entries(values).map(([name, value]) => [name, plain(value, nodes.get(name)!)]);
      } catch (error) {
        throw damaged(file, error, `, row ${line}`);
      }
      yield {values: Object.fromEntries(entries), file, line};
    }
    bytesRead?.(((end - start) / total) * source.byteLength);
    start = end;
  }
}

/** Names of the columns at the top of a Parquet file's schema. */
export async function parquetColumns(file: string): Promise<string[]> {
  const {schema, descriptor} = open(file);
  closeSync(descriptor);
  return namesOf(schema);
}

interface Opened {
  /** Whoever opens it closes it. */
  descriptor: number;
  source: AsyncBuffer;
  metadata: FileMetaData;
  schema: SchemaTree;
}

function open(path: string): Opened {
  const {descriptor, bytes} = openRegular(path);
  try {
    // The signature at the beginning is all there is of a file whose end is missing.
    if (bytes < 12) throw damaged(path, 'it has only a few bytes');
    const source = sourceOf(descriptor, bytes);
    const metadata = readFooter(source.read);
    const schema = parquetSchema(metadata);
    checkFooter(metadata, schema, bytes);
    return {descriptor, source, metadata, schema};
  } catch (error) {
    closeSync(descriptor);
    if (error instanceof SweepError || (error instanceof Error && 'syscall' in error)) throw error;
    throw damaged(path, error);
  }
}

type Read = (start: number, end?: number) => ArrayBuffer;

function sourceOf(descriptor: number, byteLength: number): AsyncBuffer & {read: Read} {
  const read: Read = (start, end = byteLength) => {
    const from = start < 0 ? Math.max(0, byteLength + start) : start;
    const buffer = new ArrayBuffer(Math.max(0, Math.min(end, byteLength) - from));
    for (let done = 0; done < buffer.byteLength; ) {
      const more = readSync(descriptor, new Uint8Array(buffer, done), {position: from + done});
      if (more === 0) throw new Error('it became shorter while it was read');
      done += more;
    }
    return buffer;
  };
  return {byteLength, read, slice: (start, end) => read(start, end)};
}

/** Four bytes of length and the signature close a file. */
const tail = 8;

function readFooter(read: Read): FileMetaData {
  const length = new DataView(read(-tail)).getUint32(0, true);
  if (length > mostFooterBytes) throw new Error(`its footer would have more than ${megabytes(mostFooterBytes)}`);
  return parquetMetadata(read(-tail - length));
}

function namesOf(schema: SchemaTree): string[] {
  return schema.children.map(({element}) => element.name);
}

function damaged(file: string, error: unknown, where = ''): SweepError {
  const why = error instanceof Error ? error.message : String(error);
  const sentence = `${file}${where}: this is not a whole Parquet file (${why.slice(0, 200)}); copy or fetch it again.`;
  return new SweepError('bad-data', sentence, {file});
}
