/** Where each token of a text ends in it: the tokenizer library gives no offsets. */
import {isObject, type JsonObject} from '../files/json-file.ts';

/** What a token stands for in a text. */
export interface Spelling {
  /**
   * `byte-level`: each character of the token is a byte. `byte`: one byte, <0x0A>. `piece`: text in which U+2581 is a
   * space, or itself.
   */
  kind: 'byte-level' | 'byte' | 'piece';
  /** In UTF-8; of a piece, its spaces still U+2581. */
  bytes: Buffer;
  /** Of a token that is cut out of a text before anything else: it may stand there word for word. */
  literal?: Buffer;
}

/**
 * What each token stands for. Byte-level vocabularies write each byte as one printable character (GPT-2); others write
 * spaces as U+2581 and single bytes as <0x0A>. A token that is cut out of texts as it is may also come from the model of
 * the tokenizer, as Gemma's runs of U+2581 do: both spellings count.
 */
export function tokenSpellings(definition: JsonObject): (token: string) => Spelling {
  const added = new Set(addedTokens(definition));
  const byteLevel = JSON.stringify([definition['pre_tokenizer'], definition['decoder']]).includes('"ByteLevel"');
  const known = new Map<string, Spelling>();
  return token => {
    let spelling = known.get(token);
    if (spelling === undefined) {
      const literal = added.has(token) ? {literal: Buffer.from(token)} : {};
      spelling = {...(byteLevel ? fromByteLevel(token) : fromPieces(token)), ...literal};
      known.set(token, spelling);
    }
    return spelling;
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

/** A token with a character of no byte stands for its text, as in the decoder. */
function fromByteLevel(token: string): Spelling {
  const bytes = [...token].map(char => byteOf.get(char));
  const known = bytes.filter(byte => byte !== undefined);
  return {kind: 'byte-level', bytes: Buffer.from(known.length === bytes.length ? known : token)};
}

function fromPieces(token: string): Spelling {
  const [, byte] = /^<0x([0-9A-F]{2})>$/.exec(token) ?? [];
  return byte === undefined
    ? {kind: 'piece', bytes: Buffer.from(token)}
    : {kind: 'byte', bytes: Buffer.from([Number.parseInt(byte, 16)])};
}

const space = 0x20;
/** U+2581, the mark of a space. */
const spaceMark = Buffer.from('\u2581');

/** Whether a space is put before every text between two added tokens, also before one that begins with a space. */
export function prependsSpace(definition: JsonObject): boolean {
  const prepends = (normalizer: unknown): boolean =>
    isObject(normalizer) &&
    (normalizer['type'] === 'Prepend' ||
      (Array.isArray(normalizer['normalizers']) && normalizer['normalizers'].some(prepends)));
  return prepends(definition['normalizer']);
}

/**
 * For each token the byte of the text that it ends before; null where the tokens do not spell the text. Spaces that the
 * tokenizer adds before a text (`prepends`: always), or takes away around added tokens, are allowed for. A token that is
 * nothing but such an added space counts as a part of the character behind it, as in the reference.
 */
export function tokenEnds(tokens: readonly Spelling[], text: Buffer, prepends = false): Int32Array | null {
  const ends = new Int32Array(tokens.length);
  let at = 0;
  let isFirst = true;
  for (const [index, token] of tokens.entries()) {
    const isAdded = token.literal !== undefined && stands(token.literal, text, skipSpace(text, at));
    const after = endOf(token, text, at, prepends && isFirst && !isAdded);
    if (after === undefined) return null;
    ends[index] = after === at ? Math.min(at + 1, text.length) : after;
    at = after;
    isFirst = isAdded;
  }
  return skipSpace(text, at) === text.length ? ends : null;
}

/** `prepended`: the token begins with a space that the tokenizer has put there. */
function endOf(token: Spelling, text: Buffer, at: number, prepended: boolean): number | undefined {
  const added = spaceBytes(token);
  const rest = (): number | undefined =>
    added > 0 ? spelled({kind: token.kind, bytes: token.bytes.subarray(added)}, text, at) : undefined;
  const places = prepended ? [rest, () => spelled(token, text, at)] : [() => spelled(token, text, at), rest];
  for (const place of [...places, () => spelled(token, text, skipSpace(text, at))]) {
    const end = place();
    if (end !== undefined) return end;
  }
  return undefined;
}

const stands = (part: Buffer, text: Buffer, at: number): boolean => text.subarray(at, at + part.length).equals(part);

/** Bytes of the space that a token begins with. */
function spaceBytes({kind, bytes}: Spelling): number {
  if (kind === 'piece' && bytes.subarray(0, spaceMark.length).equals(spaceMark)) return spaceMark.length;
  return bytes[0] === space ? 1 : 0;
}

/** Where the token ends if it begins at this byte of the text; undefined where it does not stand there. */
function spelled({kind, bytes, literal}: Spelling, text: Buffer, at: number): number | undefined {
  if (literal && stands(literal, text, at)) return at + literal.length;
  if (stands(bytes, text, at)) return at + bytes.length;
  if (kind !== 'piece') return undefined;
  let to = at;
  for (let from = 0; from < bytes.length; ) {
    const isMark = bytes.subarray(from, from + spaceMark.length).equals(spaceMark);
    if (isMark && text[to] === space) {
      from += spaceMark.length;
      to++;
    } else if (bytes[from++] !== text[to++]) return undefined;
  }
  return to;
}

function skipSpace(text: Buffer, at: number): number {
  while (at < text.length && (text[at] === space || (text[at]! >= 9 && text[at]! <= 13))) at++;
  return at;
}
