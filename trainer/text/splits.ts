/**
 * Where a text is cut before its words become tokens, as the reference (Rust's tokenizers) cuts it: all its pre-tokenizers that
 * cut by a pattern are one, `Split`, which the library (0.2.0) follows for some of its settings only.
 */
import {isObject, type JsonObject} from '../files/json-file.ts';

/** Classes of Rust's `char::is_numeric`, of its punctuation, of `\w` and `\s` in its regular expressions. */
const [numeric, punctuation] = ['\\p{N}', '[\\p{P}!-\\/:-@\\[-`{-~]'];
const [word, space] = ['\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}', '\\p{White_Space}'];

const split = (regex: string, behavior: string, invert = false): JsonObject => ({
  type: 'Split',
  pattern: {Regex: regex},
  behavior,
  invert,
});

/** A pre-tokenizer of tokenizer.json with every one that cuts by a pattern spelled as `Split`; others stay as they are. */
export function asSplits(part: unknown): unknown {
  if (!isObject(part)) return part;
  switch (part['type']) {
    case 'Sequence':
      return {
        ...part,
        pretokenizers: Array.isArray(part['pretokenizers']) ? part['pretokenizers'].map(asSplits) : [],
      };
    case 'Digits':
      return split(part['individual_digits'] ? numeric : `${numeric}+`, 'Isolated');
    case 'Punctuation':
      return split(punctuation, String(part['behavior'] ?? 'Isolated'));
    case 'Whitespace':
      return split(`[${word}]+|[^${word}${space}]+`, 'Removed', true);
    case 'WhitespaceSplit':
      return split(space, 'Removed');
    case 'BertPreTokenizer':
      return {type: 'Sequence', pretokenizers: [split(space, 'Removed'), split(punctuation, 'Isolated')]};
    case 'CharDelimiterSplit':
      return {...part, type: 'Split', pattern: {String: part['delimiter']}, behavior: 'Removed', invert: false};
    case 'FixedLength':
      return split(`[\\s\\S]{1,${Number(part['length'] ?? 5)}}`, 'Isolated');
    default:
      return part;
  }
}

/** The part of the library that is replaced. */
export interface SplittingPart {
  config?: {type?: string; behavior?: string; invert?: boolean};
  pattern?: RegExp;
  use_regex?: boolean;
  pre_tokenize_text?: (text: string) => string[];
}

/** GPT-2's pattern, with Unicode's white space: JavaScript's has U+FEFF and lacks U+0085. */
const byteLevel =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Makes one part of the library cut as the reference does. */
export function cutAsReference(part: SplittingPart): void {
  if (part.config?.type === 'ByteLevel') part.pattern = byteLevel;
  const {config, pattern} = part;
  if (config?.type !== 'Split' || !pattern) return;
  const join = joins[String(config.behavior).toLowerCase()];
  if (!join) throw new Error(`Split has no behavior ${JSON.stringify(config.behavior)}`);
  part.pre_tokenize_text = text => join(cuts(text, pattern, config.invert ?? false)).filter(piece => piece !== '');
}

interface Piece {
  text: string;
  /** It is what the pattern (or, inverted, everything else) matches. */
  matches: boolean;
}

/** A whole text in pieces, matches and what lies between them. */
function cuts(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const {0: match, index} of text.matchAll(pattern)) {
    if (index > from) pieces.push({text: text.slice(from, index), matches: invert});
    pieces.push({text: match, matches: !invert});
    from = index + match.length;
  }
  if (from < text.length) pieces.push({text: text.slice(from), matches: invert});
  return pieces;
}

/** What is done with pieces that match, by the names of the reference (its SplitDelimiterBehavior). */
const joins: Record<string, (pieces: Piece[]) => string[]> = {
  isolated: pieces => pieces.map(({text}) => text),
  removed: pieces => pieces.filter(({matches}) => !matches).map(({text}) => text),
  mergedwithprevious: pieces => together(pieces, (piece, before) => piece.matches && !before),
  mergedwithnext: pieces => {
    const mirrored = pieces.toReversed().map(({text, matches}) => ({text: mirror(text), matches}));
    return together(mirrored, (piece, before) => piece.matches && !before)
      .map(mirror)
      .reverse();
  },
  contiguous: pieces => together(pieces, (piece, before) => piece.matches === before),
};

/** UTF-16 units from the last to the first; twice is the text itself. */
const mirror = (text: string): string => text.split('').reverse().join('');

/** Pieces, some joined to the one before; `before`: whether that one matched. */
function together(pieces: Piece[], joined: (piece: Piece, before: boolean) => boolean): string[] {
  const made: string[] = [];
  let before = false;
  for (const piece of pieces) {
    if (made.length > 0 && joined(piece, before)) made.push(made.pop()! + piece.text);
    else made.push(piece.text);
    before = piece.matches;
  }
  return made;
}
