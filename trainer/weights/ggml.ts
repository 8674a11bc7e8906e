/**
 * The number formats of GGUF files that are read here, as data: blocks of values that share scales (ggml-quants.c of
 * llama.cpp, MIT). Each block is widened to float32 as the reference does.
 */

export interface BlockFormat {
  /** Values and bytes of a block. */
  values: number;
  bytes: number;
  /** Widens the block at `at` into `to`, from place `start` on. */
  widen(block: DataView, at: number, to: Float32Array, start: number): void;
}

const half = (view: DataView, at: number): number => widenedHalf(view.getUint16(at, true));

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
function widenedHalf(value: number): number {
  bits[0] = widenHalf(value);
  return float[0]!;
}

/** The bits of the float32 equal to an IEEE 754 half: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
export function widenHalf(value: number): number {
  const sign = (value & 0x8000) << 16;
  const exponent = (value >> 10) & 0x1f;
  const fraction = value & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: the leading one of the fraction becomes the implicit bit.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** 32 values of 4 bits, low halves of 16 bytes first; `fifth` gives a further bit of a value. */
function nibbles(
  view: DataView,
  at: number,
  to: Float32Array,
  start: number,
  value: (nibble: number, index: number) => number,
): void {
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + i);
    to[start + i] = value(byte & 15, i);
    to[start + i + 16] = value(byte >> 4, i + 16);
  }
}

/** Scale and minimum of one of the 8 groups of a K block: 6 bits each, packed into 12 bytes. */
function groupScale(view: DataView, at: number, group: number): {scale: number; minimum: number} {
  const byte = (i: number) => view.getUint8(at + i);
  if (group < 4) return {scale: byte(group) & 63, minimum: byte(group + 4) & 63};
  return {
    scale: (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4),
    minimum: (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4),
  };
}

/** 256 values in 8 groups, each with scale and minimum; `high`: place of the fifth bits, where there are any. */
function widenGroups(
  view: DataView,
  at: number,
  to: Float32Array,
  start: number,
  high: number | null,
  low: number,
): void {
  const [d, dMinimum] = [half(view, at), half(view, at + 2)];
  for (let group = 0; group < 8; group++) {
    const {scale, minimum} = groupScale(view, at + 4, group);
    const [step, floor] = [d * scale, dMinimum * minimum];
    for (let i = 0; i < 32; i++) {
      const byte = view.getUint8(low + 32 * (group >> 1) + i);
      const nibble = group % 2 === 0 ? byte & 15 : byte >> 4;
      const fifth = high === null ? 0 : ((view.getUint8(high + i) >> group) & 1) << 4;
      to[start + 32 * group + i] = step * (nibble + fifth) - floor;
    }
  }
}

/** By the name that llama.cpp gives the type. */
export const blockFormats = {
  Q4_0: {
    values: 32,
    bytes: 18,
    widen(view, at, to, start) {
      const d = half(view, at);
      nibbles(view, at + 2, to, start, nibble => d * (nibble - 8));
    },
  },
  Q4_1: {
    values: 32,
    bytes: 20,
    widen(view, at, to, start) {
      const [d, minimum] = [half(view, at), half(view, at + 2)];
      nibbles(view, at + 4, to, start, nibble => d * nibble + minimum);
    },
  },
  Q5_0: {
    values: 32,
    bytes: 22,
    widen(view, at, to, start) {
      const d = half(view, at);
      const high = view.getUint32(at + 2, true);
      nibbles(view, at + 6, to, start, (nibble, i) => d * ((nibble | (((high >>> i) & 1) << 4)) - 16));
    },
  },
  Q5_1: {
    values: 32,
    bytes: 24,
    widen(view, at, to, start) {
      const [d, minimum] = [half(view, at), half(view, at + 2)];
      const high = view.getUint32(at + 4, true);
      nibbles(view, at + 8, to, start, (nibble, i) => d * (nibble | (((high >>> i) & 1) << 4)) + minimum);
    },
  },
  Q8_0: {
    values: 32,
    bytes: 34,
    widen(view, at, to, start) {
      const d = half(view, at);
      for (let i = 0; i < 32; i++) to[start + i] = d * view.getInt8(at + 2 + i);
    },
  },
  Q4_K: {
    values: 256,
    bytes: 144,
    widen: (view, at, to, start) => widenGroups(view, at, to, start, null, at + 16),
  },
  Q5_K: {
    values: 256,
    bytes: 176,
    widen: (view, at, to, start) => widenGroups(view, at, to, start, at + 16, at + 48),
  },
  Q6_K: {
    values: 256,
    bytes: 210,
    widen(view, at, to, start) {
      const [low, high, scales] = [at, at + 128, at + 192];
      const d = half(view, at + 208);
      for (let i = 0; i < 256; i++) {
        // Two halves of 128; in each, four quarters of 32 share 64 low bytes and 32 bytes of high bits.
        const [part, quarter, place] = [i >> 7, (i >> 5) & 3, i & 31];
        const byte = view.getUint8(low + 64 * part + 32 * (quarter & 1) + place);
        const nibble = quarter < 2 ? byte & 15 : byte >> 4;
        const two = (view.getUint8(high + 32 * part + place) >> (2 * quarter)) & 3;
        to[start + i] = d * view.getInt8(scales + (i >> 4)) * ((nibble | (two << 4)) - 32);
      }
    },
  },
} as const satisfies Record<string, BlockFormat>;

export type BlockType = keyof typeof blockFormats;

export function isBlockType(type: string): type is BlockType {
  return Object.hasOwn(blockFormats, type);
}

/** Widens whole blocks to the front of `to`. */
export function widenBlocks(type: BlockType, bytes: Uint8Array, to: Float32Array): void {
  const format: BlockFormat = blockFormats[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; (block + 1) * format.bytes <= bytes.length; block++)
    format.widen(view, block * format.bytes, to, block * format.values);
}
