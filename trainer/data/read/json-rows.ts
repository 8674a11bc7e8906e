/** Rows written as JSON, cut out of a stream of bytes: a file of hundreds of megabytes never becomes one string. */
import {SweepError} from '../../../core/error.ts';
import {parseJson} from '../../../core/json.ts';
import {megabytes} from '../../files/door.ts';
import {asWritten} from '../../files/written-json.ts';
import {type Row, rowError} from './row.ts';

/** The bytes of one row. */
interface Piece {
  bytes: Uint8Array;
  line: number;
}

/**
 * The rows of a .jsonl file (one object a line) or a .json file (a list of objects, or objects one after another), from
 * its bytes. UTF-8, with or without a byte order mark; blank lines do not count.
 * @throws SweepError `bad-data` with file and line
 */
export async function* jsonRows(
  chunks: AsyncIterable<Buffer>,
  file: string,
  form: 'lines' | 'list',
): AsyncGenerator<Row> {
  const bytes = withoutMark(chunks);
  for await (const piece of form === 'lines' ? lines(bytes, file) : objects(bytes, file))
    yield parse(piece, file, form);
}

/** Bytes of one row; a book has one. */
const mostBytes = 32 << 20;

function tooLong(file: string, line: number): SweepError {
  return rowError(
    'bad-data',
    {file, line},
    `this row has more than ${megabytes(mostBytes)}; a row of JSON ends with its line (.jsonl), or in a list with its bracket (.json).`,
  );
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

function parse({bytes, line}: Piece, file: string, form: 'lines' | 'list'): Row {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw rowError('bad-data', {file, line}, 'this row is not UTF-8 text; store the file as UTF-8.');
  }
  if (form === 'lines' && text.trimStart().startsWith('['))
    throw rowError(
      'bad-data',
      {file, line},
      'this row is not a JSON object but a list, or the beginning of one; a file that is one list of rows is named .json, not .jsonl.',
    );
  let values: unknown;
  try {
    values = asWritten(parseJson(text, `${file}:${line}: this row`), text);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw rowError('bad-data', {file, line}, `this row is not JSON (${why}).`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw rowError('bad-data', {file, line}, 'this row is not a JSON object with named columns.');
  }
  return {values: {...values}, file, line};
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
async function* lines(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Piece> {
  let line = 1;
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    // Millions of blank lines one by one would take their time.
    while (held.length === 0 && chunk[start] === newline) {
      start++;
      line++;
    }
    for (let end = chunk.indexOf(newline, start); end >= 0; end = chunk.indexOf(newline, start)) {
      if (end > start || held.length > 0) {
        const bytes =
          held.length > 0 ? Buffer.concat([...held, chunk.subarray(start, end)]) : chunk.subarray(start, end);
        if (bytes.length > mostBytes) throw tooLong(file, line);
        if (!isBlank(bytes)) yield {bytes, line};
        [held, length] = [[], 0];
      }
      line++;
      start = end + 1;
      while (chunk[start] === newline) {
        start++;
        line++;
      }
    }
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > mostBytes) throw tooLong(file, line);
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
  let length = 0;
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
        [held, length] = [[], 0];
        place.expected = place.list ? 'comma or end' : 'object';
      }
    }
    if (depth === 0) continue;
    held.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > mostBytes) throw tooLong(file, began);
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
