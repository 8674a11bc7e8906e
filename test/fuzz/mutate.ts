/** Files gone wrong, the same ones every time: bytes, numbers, words and structure changed at random. */
import {type Random, random} from '../../trainer/math/random.ts';

/** Changed in one to four places; `seed` says where and how. */
export function mutated(name: string, seed: number, sources: readonly Buffer[]): Buffer {
  const numbers = random('fuzz', name, seed);
  let bytes = sources[numbers.integerBelow(sources.length)]!;
  const times = numbers.integerBelow(2) === 0 ? 1 : 2 + numbers.integerBelow(3);
  for (let k = 0; k < times; k++) bytes = changed(bytes, numbers, sources);
  return bytes;
}

const pieces = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    ',',
    ':',
    '\\',
    '\n',
    '\r\n',
    '\t',
    '\0',
    ' ',
    '-',
    '*',
    '&a ',
    '<<: *a',
    '{{',
    '{%',
    '%}',
  ],
  ...[
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '1e308',
    '-0.0',
    '9007199254740993',
    '0.1',
    '""',
    '[]',
    '{}',
    '"\\u0000"',
    '"__proto__"',
  ],
  ...[
    '"constructor":',
    '"toString"',
    '"../../x"',
    '/dev/zero',
    '\u001b[2J',
    '\u009b31m',
    '\u202e',
    '\ufeff',
    '\ud83d',
    '(a+)+$',
    'NaN',
  ],
];

function changed(bytes: Buffer, numbers: Random, sources: readonly Buffer[]): Buffer {
  const below = (n: number) => numbers.integerBelow(Math.max(1, n));
  const at = below(bytes.length + 1);
  const cut = (from: number, to: number, put: Buffer = Buffer.alloc(0)) =>
    Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(Math.min(to, bytes.length))]);
  // The head of binary files is where their numbers stand.
  const early = below(Math.min(bytes.length, 400));
  switch (below(13)) {
    case 0:
      return withByte(bytes, at, below(256));
    case 1:
      return withByte(bytes, early, [0, 1, 0x7f, 0x80, 0xff][below(5)]!);
    case 2:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << below(8)));
    case 3:
      return cut(at, at + 1 + below(16));
    case 4:
      return bytes.subarray(0, at);
    case 5:
      return cut(at, at, Buffer.from(pieces[below(pieces.length)]!));
    case 6:
      return cut(at, at + 1, Buffer.from(pieces[below(pieces.length)]!.repeat(1 + below(200))));
    case 7:
      return cut(at, at, bytes.subarray(early, early + below(64)));
    case 8: {
      const other = sources[below(sources.length)]!;
      return Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length))]);
    }
    case 9:
      return withNumber(bytes, at, numbers);
    case 10:
      return withNumber(bytes, early, numbers);
    case 11: {
      // Behind the end: where Parquet has its footer.
      const late = Math.max(0, bytes.length - 1 - below(600));
      return withByte(bytes, late, below(256));
    }
    default:
      return wordChanged(bytes, numbers);
  }
}

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = value;
  return copy;
}

/** A number of four or eight bytes, as headers have them. */
function withNumber(bytes: Buffer, at: number, numbers: Random): Buffer {
  const copy = Buffer.from(bytes);
  const values = [
    0n,
    1n,
    0x7fffffffn,
    0xffffffffn,
    1n << 40n,
    (1n << 63n) - 1n,
    (1n << 64n) - 1n,
    BigInt(bytes.length),
  ];
  const value = values[numbers.integerBelow(values.length)]!;
  if (numbers.integerBelow(2) === 0) {
    if (at + 8 <= copy.length) copy.writeBigUInt64LE(value, at);
  } else if (at + 4 <= copy.length) copy.writeUInt32LE(Number(value & 0xffffffffn), at);
  return copy;
}

/** A value of a text replaced by another. */
function wordChanged(bytes: Buffer, numbers: Random): Buffer {
  const text = bytes.toString('latin1');
  const words = [...text.matchAll(/"[^"\n]{0,40}"|-?\d+(?:\.\d+)?|\w+/g)];
  const word = words[numbers.integerBelow(Math.max(1, words.length))];
  if (!word) return bytes;
  const piece = Buffer.from(pieces[numbers.integerBelow(pieces.length)]!);
  return Buffer.concat([bytes.subarray(0, word.index), piece, bytes.subarray(word.index + word[0].length)]);
}
