/**
 * What a Parquet file says of its own sizes, checked before anything is allocated by it: hyparquet (1.33) believes every
 * number, and leaves columns behind that nobody waits for where one of them is refused.
 */
import type {FileMetaData, SchemaTree} from 'hyparquet';
import {checkRuns, type DataPage} from './parquet-runs.ts';

/** Bytes of a footer. */
export const mostFooterBytes = 16 << 20;
/** Rows, or values of a column, of a group: so many at least, and more where the group has the bytes for them. */
const [freeValues, valuesPerByte] = [1 << 20, 64];
/** Bytes that the pages of a group may become: text is packed to a tenth. */
const [freeBytes, mostTimes] = [128 << 20, 50];

type Group = FileMetaData['row_groups'][number];

/** Throws an Error that says what cannot be true of a footer. */
export function checkFooter(metadata: FileMetaData, schema: SchemaTree, fileBytes: number): void {
  const leaves = leavesOf(schema);
  if (new Set(leaves.map(({path}) => path.join('\0'))).size < leaves.length)
    throw new Error('two columns have one name');
  if (leaves.length === 0) throw new Error('it has no columns');
  for (const group of metadata.row_groups) {
    if (group.columns.length !== leaves.length) throw new Error('a row group has other columns than the schema');
    let bytes = 0;
    for (const [index, chunk] of group.columns.entries()) {
      const {meta_data: meta, file_path: elsewhere} = chunk;
      if (!meta || elsewhere) throw new Error('a column lies elsewhere');
      if (meta.path_in_schema.join('\0') !== leaves[index]!.path.join('\0'))
        throw new Error('a row group has other columns than the schema');
      const {start, end} = rangeOf(chunk);
      if (!isCount(start) || !isCount(end) || end < start || end > fileBytes)
        throw new Error('a column reaches beyond the file');
      bytes += end - start;
    }
    if (bytes > fileBytes) throw new Error('columns overlap');
    const rows = Number(group.num_rows);
    if (!isCount(rows) || rows > freeValues + valuesPerByte * bytes)
      throw new Error(`a row group of ${bytes} bytes has ${rows} rows`);
  }
}

/** Where a column of a group lies in the file. */
export function rangeOf({meta_data: meta}: Group['columns'][number]): {start: number; end: number} {
  const start = Number(meta?.dictionary_page_offset || meta?.data_page_offset);
  return {start, end: start + Number(meta?.total_compressed_size)};
}

/** What the pages of a group's columns come to, looked at column by column. */
export class GroupBounds {
  readonly #group: Group;
  readonly #leaves: (SchemaTree & Leaf)[];
  readonly #values: number;
  #packed = 0;
  #unpacked = 0;

  constructor(group: Group, schema: SchemaTree) {
    this.#group = group;
    this.#leaves = leavesOf(schema);
    const bytes = group.columns.map(chunk => rangeOf(chunk)).reduce((sum, {start, end}) => sum + end - start, 0);
    this.#values = freeValues + valuesPerByte * bytes;
  }

  /** Throws an Error that says what cannot be true of the pages of a column, whose bytes are given. */
  check(index: number, bytes: DataView): void {
    const rows = Number(this.#group.num_rows);
    const leaf = this.#leaves[index]!;
    const flat = leaf.repetition === 0;
    const codec = this.#group.columns[index]!.meta_data!.codec;
    const column = {...leaf, codec, isBoolean: leaf.element.type === 'BOOLEAN'};
    let [at, values] = [0, 0];
    // As hyparquet reads: a last byte is no page, and behind the last row of a flat column nothing is read.
    while (at < bytes.byteLength - 1 && !(flat && values >= rows)) {
      const page = readPageHeader(bytes, at);
      const from = page.end;
      at = from + page.packed;
      if (at > bytes.byteLength) throw new Error('a page reaches beyond its column');
      this.#packed += page.packed;
      this.#unpacked += page.unpacked;
      if (this.#unpacked > freeBytes + mostTimes * this.#packed)
        throw new Error(`pages of ${this.#packed} bytes would become ${this.#unpacked}`);
      if (page.entries > this.#values) throw new Error(`a page of ${page.packed} bytes has ${page.entries} entries`);
      if (page.data) checkRuns(page.data, new Uint8Array(bytes.buffer, bytes.byteOffset + from, page.packed), column);
      values += page.values;
      if (values > this.#values) throw new Error(`a column of ${bytes.byteLength} bytes has ${values} values`);
    }
    if (flat ? values !== rows : values < rows) throw new Error(`a column of ${rows} rows has ${values} values`);
  }
}

interface Leaf {
  path: string[];
  /** How many of the nodes down to it are repeated, and how many may be missing: the highest levels. */
  repetition: number;
  definition: number;
}

function leavesOf(tree: SchemaTree, above = {repetition: 0, definition: 0}): (SchemaTree & Leaf)[] {
  return tree.children.flatMap(child => {
    const kind = child.element.repetition_type;
    const levels = {
      repetition: above.repetition + (kind === 'REPEATED' ? 1 : 0),
      definition: above.definition + (kind === 'REQUIRED' || kind === undefined ? 0 : 1),
    };
    return child.children.length > 0 ? leavesOf(child, levels) : [{...child, ...levels}];
  });
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

interface Page {
  /** Bytes of its data, as stored and as they become. */
  packed: number;
  unpacked: number;
  /** Values of the column; those of a dictionary are entries only. */
  values: number;
  entries: number;
  /** Where its data begins. */
  end: number;
  /** Absent for a dictionary. */
  data?: DataPage;
}

/** The header of a page (parquet.thrift, PageHeader) in Thrift's compact protocol. */
function readPageHeader(bytes: DataView, start: number): Page {
  const thrift = new Thrift(bytes, start);
  const numbers = thrift.struct();
  const [unpacked, packed] = [numbers.get('2'), numbers.get('3')];
  const [values = 0, dictionary = 0, second = 0] = ['5.1', '7.1', '8.1'].map(path => numbers.get(path));
  const levels = (numbers.get('8.5') ?? 0) + (numbers.get('8.6') ?? 0);
  if (unpacked === undefined || packed === undefined) throw new Error('a page has no size');
  const all = [unpacked, packed, values, dictionary, second, levels, numbers.get('8.2') ?? 0, numbers.get('8.5') ?? 0];
  if (!all.every(isCount) || levels > packed || levels > unpacked || (numbers.get('8.2') ?? 0) > second)
    throw new Error('a page has impossible sizes');
  const entries = values + second + dictionary;
  const page = {unpacked, packed, values: values + second, entries, end: thrift.at};
  return numbers.has('7.1') ? page : {...page, data: {...page, ...levelsOf(numbers)}};
}

/** What a page's header says of how its values and levels are written. */
function levelsOf(numbers: ReadonlyMap<string, number>): Omit<DataPage, 'values' | 'unpacked'> {
  return {
    version: numbers.has('8.1') ? 2 : 1,
    encoding: numbers.get('5.2') ?? numbers.get('8.4') ?? 0,
    definitionBytes: numbers.get('8.5') ?? 0,
    repetitionBytes: numbers.get('8.6') ?? 0,
    isCompressed: numbers.get('8.7') !== 0,
  };
}

/** Structs within each other; Parquet's own have three. */
const deepest = 16;

class Thrift {
  at: number;
  readonly #bytes: DataView;

  constructor(bytes: DataView, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** The whole numbers of a struct, by the numbers of their fields: `5.1`. */
  struct(path = '', found = new Map<string, number>(), depth = 0): Map<string, number> {
    if (depth > deepest) throw new Error('a page header is nested too deep');
    let field = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === 0) return found;
      field = head >> 4 ? field + (head >> 4) : zigzag(this.#varint());
      this.#value(type, `${path}${field}`, found, depth);
    }
  }

  #value(type: number, path: string, found: Map<string, number>, depth: number): void {
    switch (type) {
      case 1:
      case 2:
        // The type is the value: true, false.
        found.set(path, 2 - type);
        return;
      case 3:
        this.#skip(1);
        return;
      case 4:
      case 5:
      case 6:
        found.set(path, zigzag(this.#varint()));
        return;
      case 7:
        this.#skip(8);
        return;
      case 8:
        this.#skip(this.#varint());
        return;
      case 9: {
        const head = this.#byte();
        const length = head >> 4 === 15 ? this.#varint() : head >> 4;
        // An entry has a byte at least.
        if (length > this.#bytes.byteLength - this.at) throw new Error('a list reaches beyond its page header');
        const of = head & 15;
        for (let k = 0; k < length; k++)
          this.#value(of === 1 || of === 2 ? 3 : of, `${path}.list`, new Map(), depth + 1);
        return;
      }
      case 12:
        this.struct(`${path}.`, found, depth + 1);
        return;
      default:
        throw new Error('a page header has a field of no known type');
    }
  }

  #byte(): number {
    if (this.at >= this.#bytes.byteLength) throw new Error('a page header ends too early');
    return this.#bytes.getUint8(this.at++);
  }

  #skip(length: number): void {
    if (!(length >= 0) || length > this.#bytes.byteLength - this.at) throw new Error('a page header ends too early');
    this.at += length;
  }

  #varint(): number {
    let value = 0;
    for (let power = 1; ; power *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * power;
      if (!(byte & 128)) return value;
      if (power > 2 ** 63) throw new Error('a page header holds an endless number');
    }
  }
}

const zigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
