/** The rows of data files, one at a time. */
import {pipeline} from 'node:stream';
import {createGunzip} from 'node:zlib';
import {SweepError} from '../../../core/error.ts';
import {either} from '../../../core/sweep/problems.ts';
import {fileEndings} from '../../../core/sweep/table/field.ts';
import {chunksOf, megabytes} from '../../files/door.ts';
import {lookingAt} from '../../files/looking.ts';
import {jsonRows} from './json-rows.ts';
import type {Reading} from './reading.ts';
import {type Row, rowError} from './row.ts';

/**
 * The rows of data files, file after file and at most `limit`: .jsonl, .json (a list of objects, or objects one after another), each also
 * .gz, and .parquet.
 * @throws SweepError `missing-file`, `bad-data` (file and line or row)
 */
export async function* readRows(
  files: readonly string[],
  limit = Infinity,
  reading: Reading = {},
): AsyncGenerator<Row> {
  let count = 0;
  for (const file of files) {
    if (count >= limit) return;
    for await (const row of rowsOf(file, limit - count, reading)) {
      yield row;
      if (++count >= limit) return;
    }
  }
}

/** Names of the columns: of a Parquet file's schema, else of the first `rows` rows in the order they appear. */
export async function columnsOf(file: string, rows: number): Promise<string[]> {
  if (endingOf(file) === '.parquet') return readable(file, async () => (await parquet()).parquetColumns(file));
  const columns = new Set<string>();
  for await (const {values} of readRows([file], rows)) {
    for (const name of Object.keys(values)) columns.add(name);
  }
  return [...columns];
}

/** A reader of its own size, which most commands can do without. */
const parquet = () => import('./parquet-rows.ts');

/** The ending that says how a file is read, in lower case; undefined for all others. */
function endingOf(file: string): string | undefined {
  return fileEndings.find(ending => file.toLowerCase().endsWith(ending));
}

async function* rowsOf(file: string, limit: number, reading: Reading): AsyncGenerator<Row> {
  const ending = endingOf(file);
  if (ending === undefined)
    throw new SweepError('bad-data', `${file}: data files end in ${either([...fileEndings])}.`, {file});
  let line = 0;
  try {
    const rows =
      ending === '.parquet'
        ? (await parquet()).parquetRows(file, limit, reading)
        : jsonRows(bytesOf(file, reading), file, ending.startsWith('.jsonl') ? 'lines' : 'list');
    for await (const row of rows) {
      line = row.line;
      lookingAt(file);
      yield row;
    }
  } catch (error) {
    throw readError(error, file, line);
  }
}

function bytesOf(file: string, {bytesRead}: Reading): AsyncIterable<Buffer> {
  let read = 0;
  const stored = counted(chunksOf(file, 0, 1 << 18), bytes => {
    read += bytes;
    bytesRead?.(bytes);
  });
  if (!endingOf(file)?.endsWith('.gz')) return stored;
  // What goes wrong in either comes out of the last.
  return unpacked(
    pipeline(stored, createGunzip({chunkSize: 1 << 18}), () => {}),
    file,
    () => read,
  );
}

/** Bytes that an archive may become: text of a language becomes ten times as many, gzip can make it a thousand. */
const [freeBytes, mostTimes] = [8 << 20, 50];

/** Stops where an archive grows as only one does that was made for it. */
async function* unpacked(chunks: AsyncIterable<Buffer>, file: string, read: () => number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    lookingAt(file);
    if (bytes > freeBytes + mostTimes * read())
      throw new SweepError(
        'bad-data',
        `${file} unpacks to more than ${mostTimes} times its size (${megabytes(bytes)} so far); if that is meant, unpack it with gunzip and name the file without .gz.`,
        {file},
      );
    yield chunk;
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, bytesRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    bytesRead(chunk.length);
    yield chunk;
  }
}

async function readable<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw readError(error, file, 0);
  }
}

const gzipFaults: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: 'the gzip stream ends too early, so that the file is not whole; copy or fetch it again',
  Z_DATA_ERROR: 'the file is not gzip, or damaged; copy or fetch it again',
};

/** What reading failed with, as a sentence; `line` is that of the last whole row. */
function readError(error: unknown, file: string, line: number): SweepError {
  if (error instanceof SweepError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT') return new SweepError('missing-file', `There is no data file ${file}.`, {file});
  const fault = gzipFaults[code];
  if (fault) return rowError('bad-data', {file, line: line + 1}, `${fault}.`);
  return new SweepError('bad-data', `${file} cannot be read (${code}).`, {file});
}
