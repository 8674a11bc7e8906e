/**
 * Runs of levels and of dictionary indices within a Parquet page, gone through by their headers: hyparquet (1.33) repeats a value
 * as often as a run says, although the page has no room for so many.
 */
import type {CompressionCodec} from 'hyparquet';
import {compressors} from 'hyparquet-compressors';

/** A data page as its header describes it. */
export interface DataPage {
  /** Of the second version levels stand uncompressed before the values; of the first all is compressed together. */
  version: 1 | 2;
  /** parquet.thrift, Encoding. */
  encoding: number;
  /** Values and nulls. */
  values: number;
  unpacked: number;
  /** Version 2: bytes of each kind of level, and whether the values behind them are compressed. */
  repetitionBytes: number;
  definitionBytes: number;
  isCompressed: boolean;
}

export interface RunColumn {
  codec: CompressionCodec;
  /** The highest levels, from the schema. */
  repetition: number;
  definition: number;
  isBoolean: boolean;
}

const [plainDictionary, rle, rleDictionary] = [2, 3, 8];

/** Throws an Error that says which run has more values than the page. `bytes`: the page's data as it is stored. */
export function checkRuns(page: DataPage, bytes: Uint8Array, column: RunColumn): void {
  const {values} = page;
  const [repetitionWidth, definitionWidth] = [column.repetition, column.definition].map(widthOf) as [number, number];
  if (page.version === 1) {
    const runs = new Runs(unpack(bytes, page.unpacked, column.codec), values);
    if (repetitionWidth > 0) runs.counted(repetitionWidth);
    if (definitionWidth > 0) runs.counted(definitionWidth);
    checkValues(runs, page, column);
    return;
  }
  const {repetitionBytes, definitionBytes} = page;
  const levels = repetitionBytes + definitionBytes;
  const part = (from: number, to: number) => new Runs(bytes.subarray(from, to), values);
  if (repetitionWidth > 0) part(0, repetitionBytes).all(repetitionWidth);
  if (definitionWidth > 0) part(repetitionBytes, levels).all(definitionWidth);
  const packed = bytes.subarray(levels);
  const left = page.unpacked - levels;
  const isPacked = page.isCompressed && left > 0;
  checkValues(new Runs(isPacked ? unpack(packed, left, column.codec) : packed, values), page, column);
}

function checkValues(runs: Runs, {encoding, version}: DataPage, {isBoolean}: RunColumn): void {
  const isIndices = encoding === plainDictionary || encoding === rleDictionary;
  if (encoding === rle && (isBoolean || version === 2)) {
    // Booleans of the first version have a byte before them that is not used.
    runs.counted(1);
  } else if (isIndices || encoding === rle) {
    const width = runs.byte();
    if (width > 0) runs.all(width);
  }
}

const widthOf = (highest: number): number => 32 - Math.clz32(highest);

function unpack(bytes: Uint8Array, length: number, codec: CompressionCodec): Uint8Array {
  const work = compressors[codec];
  // What is not known here is refused where it is read.
  return codec === 'UNCOMPRESSED' || !work ? bytes : work(bytes, length);
}

/** Runs as the hybrid encoding has them: a header, then one value or packed ones. */
class Runs {
  readonly #bytes: Uint8Array;
  readonly #most: number;
  #at = 0;

  constructor(bytes: Uint8Array, most: number) {
    this.#bytes = bytes;
    this.#most = most;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new Error('a page ends within a run');
    return value;
  }

  /** Runs behind four bytes that say how long they are. */
  counted(width: number): void {
    const length = [0, 8, 16, 24].reduce((sum, shift) => sum + this.byte() * 2 ** shift, 0);
    const start = this.#at;
    this.all(width);
    this.#at = start + length;
  }

  /** Runs until there are as many values as the page has, or its bytes end. */
  all(width: number): void {
    let seen = 0;
    while (seen < this.#most && this.#at < this.#bytes.length) {
      const header = this.#varint();
      const isPacked = header % 2 === 1;
      const count = Math.floor(header / 2) * (isPacked ? 8 : 1);
      if (!isPacked && count > this.#most) throw new Error(`a run of a page with ${this.#most} values has ${count}`);
      this.#at += isPacked ? (count / 8) * width : Math.ceil(width / 8);
      seen += count;
    }
  }

  #varint(): number {
    let value = 0;
    for (let power = 1; ; power *= 128) {
      const byte = this.byte();
      value += (byte & 127) * power;
      if (!(byte & 128) || power > 2 ** 42) return value;
    }
  }
}
