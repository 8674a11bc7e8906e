/** Values of Parquet files, exactly: what is no number, text or truth value is written as pandas prints it. */
import type {FileMetaData, SchemaTree} from 'hyparquet';
import {WrittenNumber} from '../../files/written-json.ts';
import {floatText} from '../../jinja/values.ts';

type Element = FileMetaData['schema'][number];

/** The reader would make floats of decimals, and moments without their fractions: it is given the bare numbers. */
export function withBareNumbers(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element): Element => {
    const {converted_type: _, logical_type: __, ...bare} = element;
    return kindOf(element) === undefined ? element : bare;
  });
  return {...metadata, schema};
}

type Kind =
  | {of: 'decimal'; scale: number}
  | {of: 'date'}
  | {of: 'time'; perSecond: bigint}
  | {of: 'timestamp'; perSecond: bigint; utc: boolean};

const perSecond = {MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n};

function kindOf({converted_type: converted, logical_type: logical, scale, type}: Element): Kind | undefined {
  if (logical?.type === 'DECIMAL') return {of: 'decimal', scale: logical.scale ?? scale ?? 0};
  if (converted === 'DECIMAL') return {of: 'decimal', scale: scale ?? 0};
  if (logical?.type === 'DATE' || converted === 'DATE') return {of: 'date'};
  if (logical?.type === 'TIME') return {of: 'time', perSecond: perSecond[logical.unit]};
  if (converted === 'TIME_MILLIS') return {of: 'time', perSecond: perSecond.MILLIS};
  if (converted === 'TIME_MICROS') return {of: 'time', perSecond: perSecond.MICROS};
  if (logical?.type === 'TIMESTAMP') {
    return {of: 'timestamp', perSecond: perSecond[logical.unit], utc: logical.isAdjustedToUTC === true};
  }
  if (converted === 'TIMESTAMP_MILLIS') return {of: 'timestamp', perSecond: perSecond.MILLIS, utc: true};
  if (converted === 'TIMESTAMP_MICROS') return {of: 'timestamp', perSecond: perSecond.MICROS, utc: true};
  // The reader makes nanoseconds of it.
  if (type === 'INT96') return {of: 'timestamp', perSecond: perSecond.NANOS, utc: false};
  return undefined;
}

/** A value as read with `withBareNumbers`, by the file's own schema. Throws an Error where it cannot be of that schema. */
export function plain(value: unknown, node: SchemaTree): unknown {
  if (value === undefined || value === null) return null;
  const {element, children} = node;
  if (children.length > 0) return nested(value, node);
  // A repeated column without an own group is a list of its values.
  if (Array.isArray(value)) return value.map(item => plain(item, node));
  const kind = kindOf(element);
  if (kind) return written(value, kind);
  if (typeof value === 'bigint') return numberOf(String(value), Number(value));
  if (
    typeof value === 'number' &&
    (element.type === 'FLOAT' || element.type === 'DOUBLE' || !Number.isInteger(value))
  ) {
    return numberOf(element.type === 'FLOAT' ? float32Text(value) : floatText(value), value);
  }
  if (value instanceof Uint8Array) return textOrBytes(value);
  return value;
}

function nested(value: unknown, node: SchemaTree): unknown {
  const {element, children} = node;
  if (Array.isArray(value)) {
    // A repeated group that no list is made of: each item holds its columns by name.
    if (element.repetition_type === 'REPEATED') return value.map(held => nested(held, node));
    const [repeated] = children;
    const item = repeated!.children.length === 1 ? repeated!.children[0]! : repeated!;
    return value.map(held => plain(held, item));
  }
  const [only] = children;
  const isMap = children.length === 1 && only!.element.repetition_type === 'REPEATED' && only!.children.length === 2;
  const nodeOf = (name: string): SchemaTree | undefined =>
    isMap ? only!.children[1] : children.find(({element}) => element.name === name);
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, held]) => {
      const column = nodeOf(name);
      if (!column) throw new Error(`its schema has no ${name}`);
      return [name, plain(held, column)];
    }),
  );
}

/** A number, in its own spelling where JavaScript has another. */
function numberOf(text: string, value: number): number | WrittenNumber {
  return String(value) === text ? value : new WrittenNumber(text);
}

/** numpy's str of a float32: with an exponent from a million. */
function float32Text(value: number): string {
  const short = shortest(value);
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0 || (size >= 1e-4 && size < 1e6)) return floatText(short);
  const [digits, exponent] = short.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** The shortest number that is this one in 32 bits; exactly between two, the even one. */
function shortest(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const [written, exponent] = value.toExponential(digits - 1).split('e') as [string, string];
    const power = Number(exponent) - (digits - 1);
    const whole = Number(written.replace('.', ''));
    const even = whole - Math.sign(whole);
    const isBetween = whole % 2 !== 0 && Number(`${whole - Math.sign(whole) / 2}e${power}`) === value;
    for (const candidate of isBetween ? [even, whole] : [whole]) {
      const shorter = Number(`${candidate}e${power}`);
      if (Math.fround(shorter) === value) return shorter;
    }
  }
  return value;
}

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** Some writers do not say that their bytes are text. */
function textOrBytes(bytes: Uint8Array): unknown {
  try {
    return utf8.decode(bytes);
  } catch {
    return Array.from(bytes);
  }
}

function written(value: unknown, kind: Kind): unknown {
  const number = value instanceof Uint8Array ? signed(value) : BigInt(value as number | bigint);
  switch (kind.of) {
    case 'decimal':
      return decimalText(number, kind.scale);
    case 'date':
      return dayText(number);
    case 'time':
      return timeText(number, kind.perSecond);
    case 'timestamp': {
      const perDay = 86_400n * kind.perSecond;
      const within = ((number % perDay) + perDay) % perDay;
      return `${dayText((number - within) / perDay)} ${timeText(within, kind.perSecond)}${kind.utc ? '+00:00' : ''}`;
    }
  }
}

/** Two's complement, big-endian. */
function signed(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** Python's str of a Decimal. */
function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  const left = digits.length - scale;
  if (left <= -6 || scale < 0) {
    const power = left - 1;
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}E${power < 0 ? '' : '+'}${power}`;
  }
  if (scale === 0) return sign + digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function dayText(days: bigint): string {
  const date = new Date(Number(days) * 86_400_000);
  return Number.isNaN(date.getTime()) ? `${days} days after 1970-01-01` : date.toISOString().split('T')[0]!;
}

/** With six or nine digits of a fraction that is not 0. */
function timeText(units: bigint, unitsPerSecond: bigint): string {
  const seconds = units / unitsPerSecond;
  const two = (part: bigint): string => String(part).padStart(2, '0');
  const nanos = ((units % unitsPerSecond) * 1_000_000_000n) / unitsPerSecond;
  const digits = String(nanos).padStart(9, '0');
  const fraction = nanos === 0n ? '' : `.${nanos % 1000n === 0n ? digits.slice(0, 6) : digits}`;
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${fraction}`;
}

/** What the reader calls for types that have no bare number. */
export const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOrBytes(bytes),
  timestampFromNanoseconds: (nanos: bigint) => nanos,
};
