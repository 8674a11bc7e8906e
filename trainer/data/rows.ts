/** Rows of data files, one at a time: a file of hundreds of megabytes never becomes one string. */
import {createReadStream} from 'node:fs';
import {extname} from 'node:path';
import {SweepError} from '../../core/error.ts';

export interface Row {
  values: Record<string, unknown>;
  file: string;
  /** Of the row's beginning, from 1. */
  line: number;
}

/** The bytes of one row. */
interface Piece {
  bytes: Uint8Array;
  line: number;
}

/**
 * The rows of .jsonl files (one object a line) and .json files (a list of objects, or objects one after another), file
 * after file, at most `limit`. UTF-8, with or without a byte order mark; blank lines do not count.
 * @throws SweepError `missing-file`, `bad-data` (file and line), `not-yet` for .parquet
 */
export async function* readRows(files: readonly string[], limit = Infinity): AsyncGenerator<Row> {
  let count = 0;
  for (const file of files) {
    if (count >= limit) return;
    const pieces = piecesOf(file);
    for await (const piece of pieces) {
      yield parse(piece, file);
      if (++count >= limit) return;
    }
  }
}

/** Names of the columns of the first `rows` rows, in the order they appear. */
export async function columnsOf(file: string, rows: number): Promise<string[]> {
  const columns = new Set<string>();
  for await (const {values} of readRows([file], rows)) for (const name of Object.keys(values)) columns.add(name);
  return [...columns];
}

/** A sentence about one row, with its place in front. */
export function rowError(
  code: 'bad-data' | 'missing-column',
  {file, line}: Omit<Row, 'values'>,
  what: string,
): SweepError {
  return new SweepError(code, `${file}:${line}: ${what}`, {file, line});
}

/** The text in a column; numbers and booleans as JSON writes them. */
export function textIn(row: Row, column: string): string {
  const value = columnIn(row, column);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw rowError('bad-data', row, `column ${JSON.stringify(column)} holds ${kind} where text belongs.`);
}

export function columnIn(row: Row, column: string): unknown {
  if (Object.hasOwn(row.values, column)) return row.values[column];
  const has = Object.keys(row.values)
    .slice(0, 20)
    .map(name => name.slice(0, 40));
  const sentence = `there is no column ${JSON.stringify(column)}; the row has ${has.length > 0 ? has.join(', ') : 'none'}; name yours under data.columns.`;
  throw rowError('missing-column', row, sentence);
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

function parse({bytes, line}: Piece, file: string): Row {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw rowError('bad-data', {file, line}, 'this row is not UTF-8 text; store the file as UTF-8.');
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw rowError('bad-data', {file, line}, `this row is not JSON (${why}).`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw rowError('bad-data', {file, line}, 'this row is not a JSON object with named columns.');
  }
  return {values: {...values}, file, line};
}

async function* piecesOf(file: string): AsyncGenerator<Piece> {
  const extension = extname(file).toLowerCase();
  if (extension === '.parquet') {
    throw new SweepError('not-yet', `${file}: parquet files cannot be read yet; convert it to .jsonl.`, {file});
  }
  if (extension !== '.jsonl' && extension !== '.json') {
    throw new SweepError('bad-data', `${file}: data files are .jsonl or .json.`, {file});
  }
  const chunks = withoutMark(createReadStream(file, {highWaterMark: 1 << 18}));
  try {
    yield* extension === '.jsonl' ? lines(chunks) : objects(chunks, file);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT') throw new SweepError('missing-file', `There is no data file ${file}.`, {file});
    throw new SweepError('bad-data', `${file} cannot be read (${code}).`, {file});
  }
}

/** Takes a byte order mark off the front. A read of less than three bytes happens at the end of a file only. */
async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of chunks) {
    const marked = first && chunk.length >= 3 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    first = false;
    yield marked ? chunk.subarray(3) : chunk;
  }
}

const newline = 10;

/** Splits at newlines only: U+2028 may stand in JSON text. */
async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  let line = 1;
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const bytes = Buffer.concat([...held, chunk.subarray(start, end)]);
      if (!isBlank(bytes)) yield {bytes, line};
      held = [];
      line++;
      start = end + 1;
    }
    held.push(chunk.subarray(start));
  }
  const bytes = Buffer.concat(held);
  if (!isBlank(bytes)) yield {bytes, line};
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every(isSpace);
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where the reading of a .json file stands outside its objects, and what may come next. */
interface Place {
  list: boolean;
  expected: 'anything' | 'object' | 'object or end' | 'comma or end' | 'nothing';
}

/** Cuts a list of objects, or objects one after another, into the bytes of each; whether those are JSON is seen later. */
async function* objects(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Piece> {
  const place: Place = {list: false, expected: 'anything'};
  let line = 1;
  let began = 1;
  let depth = 0;
  let text = false;
  let escaped = false;
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === newline) line++;
      if (depth === 0) {
        if (isSpace(byte)) continue;
        if (byte === openObject && mayBegin(place)) [depth, start, began] = [1, at, line];
        else if (!move(place, byte)) {
          throw rowError(
            'bad-data',
            {file, line},
            `a list of JSON objects is expected, ${seen(byte)} is out of place here.`,
          );
        }
      } else if (text) {
        text = escaped || byte !== quote;
        escaped = !escaped && byte === backslash;
      } else if (byte === quote) text = true;
      else if (byte === openObject || byte === openList) depth++;
      else if ((byte === closeObject || byte === closeList) && --depth === 0) {
        yield {bytes: Buffer.concat([...held, chunk.subarray(start, at + 1)]), line: began};
        held = [];
        place.expected = place.list ? 'comma or end' : 'object';
      }
    }
    if (depth > 0) held.push(chunk.subarray(start));
  }
  if (depth > 0) throw rowError('bad-data', {file, line: began}, 'the file ends inside this row.');
  if (place.list && place.expected !== 'nothing') {
    throw rowError('bad-data', {file, line}, 'the file ends inside its list of rows.');
  }
}

function mayBegin({expected}: Place): boolean {
  return expected !== 'nothing' && expected !== 'comma or end';
}

/** Takes a byte between objects; false where it does not belong. */
function move(place: Place, byte: number): boolean {
  const {expected} = place;
  if (byte === openList && expected === 'anything') {
    place.list = true;
    place.expected = 'object or end';
  } else if (byte === closeList && (expected === 'object or end' || expected === 'comma or end')) {
    place.expected = 'nothing';
  } else if (byte === comma && expected === 'comma or end') {
    place.expected = 'object';
  } else {
    return false;
  }
  return true;
}

function seen(byte: number): string {
  return byte > 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`;
}
