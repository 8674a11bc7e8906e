/** Where each token of a text ends in it: the tokenizer library gives no offsets. */
import {isObject, type JsonObject} from './json-file.ts';

/**
 * The bytes that a token stands for. Byte-level vocabularies write each byte as one printable character (GPT-2); others
 * write spaces as U+2581 and single bytes as <0x0A>.
 */
export function tokenBytes(definition: JsonObject): (token: string) => Buffer {
  const added = new Set(addedTokens(definition));
  const byteLevel = JSON.stringify([definition['pre_tokenizer'], definition['decoder']]).includes('"ByteLevel"');
  const known = new Map<string, Buffer>();
  return token => {
    let bytes = known.get(token);
    if (bytes === undefined) {
      bytes = added.has(token) ? Buffer.from(token) : byteLevel ? fromByteLevel(token) : fromPieces(token);
      known.set(token, bytes);
    }
    return bytes;
  };
}

/** Tokens that are cut out of a text before anything else, `special` or not. */
export function addedTokens(definition: JsonObject): string[] {
  const list = definition['added_tokens'];
  if (!Array.isArray(list)) return [];
  return list.flatMap(token => (isObject(token) && typeof token['content'] === 'string' ? [token['content']] : []));
}

/** The byte of each character of GPT-2's alphabet: printable ones stand for themselves, the others for 256, 257, .. */
const byteOf = new Map<string, number>();
let next = 256;
for (let byte = 0; byte < 256; byte++) {
  const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  byteOf.set(String.fromCharCode(printable ? byte : next++), byte);
}

function fromByteLevel(token: string): Buffer {
  return Buffer.from([...token].map(char => byteOf.get(char) ?? 0));
}

function fromPieces(token: string): Buffer {
  const [, byte] = /^<0x([0-9A-F]{2})>$/.exec(token) ?? [];
  return byte === undefined ? Buffer.from(token.replaceAll('\u2581', ' ')) : Buffer.from([Number.parseInt(byte, 16)]);
}

const space = 0x20;

/**
 * For each token the byte of the text that it ends before; null where the tokens do not spell the text. Spaces that the
 * tokenizer adds before a text, or takes away around added tokens, are allowed for.
 */
export function tokenEnds(tokens: readonly Buffer[], text: Buffer): Int32Array | null {
  const ends = new Int32Array(tokens.length);
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    const after = endOf(token, text, at);
    if (after === undefined) return null;
    at = after;
    ends[index] = at;
  }
  return skipSpace(text, at) === text.length ? ends : null;
}

function endOf(token: Buffer, text: Buffer, at: number): number | undefined {
  const matches = (part: Buffer, from: number) => text.subarray(from, from + part.length).equals(part);
  if (matches(token, at)) return at + token.length;
  if (token[0] === space && matches(token.subarray(1), at)) return at + token.length - 1;
  const from = skipSpace(text, at);
  return matches(token, from) ? from + token.length : undefined;
}

function skipSpace(text: Buffer, at: number): number {
  while (at < text.length && (text[at] === space || (text[at]! >= 9 && text[at]! <= 13))) at++;
  return at;
}
