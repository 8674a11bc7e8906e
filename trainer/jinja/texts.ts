/** The methods of Python's texts. */
import {bind, bindPositional, integerArgument, optionalText, textArgument} from './arguments.ts';
import {joinedText, refuseCharacters} from './bounds.ts';
import {TemplateError} from './error.ts';
import {space} from './syntax/lexer.ts';
import {type Called, charactersOf, iterate, lengthOfText, Tuple, typeOf, type Value} from './values.ts';

const leadingSpace = new RegExp(`^[${space}]+`);
const trailingSpace = new RegExp(`[${space}]+$`);
const onlySpace = new RegExp(`^[${space}]+$`);
const spaceRun = new RegExp(`[${space}]+`);
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines at them
const lineEnd = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

export type Side = 'left' | 'right' | 'both';

/** Without the characters at its ends; white space where none are given. */
export function strip(text: string, characters: string | undefined, side: Side): string {
  if (characters === undefined) {
    const begun = side === 'right' ? text : text.replace(leadingSpace, '');
    return side === 'left' ? begun : begun.replace(trailingSpace, '');
  }
  const set = new Set(characters);
  const letters = charactersOf(text);
  let [start, end] = [0, letters.length];
  if (side !== 'right') while (start < end && set.has(letters[start]!)) start++;
  if (side !== 'left') while (end > start && set.has(letters[end - 1]!)) end--;
  return letters.slice(start, end).join('');
}

export function splitLines(text: string, keepEnds = false): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    const end = lineEnd.exec(rest);
    if (!end) {
      lines.push(rest);
      break;
    }
    lines.push(rest.slice(0, end.index) + (keepEnds ? end[0] : ''));
    rest = rest.slice(end.index + end[0].length);
  }
  return lines;
}

/** Without a limit where `most` is below 0. */
export function replaced(text: string, old: string, by: string, most: number): string {
  refuseCharacters(by.length * (old === '' ? text.length + 1 : text.split(old).length - 1));
  if (most < 0)
    return old === '' ? [...['', ...charactersOf(text)].map(letter => letter + by)].join('') : text.split(old).join(by);
  const parts = old === '' ? ['', ...charactersOf(text)] : text.split(old);
  const breaks = Math.min(most, old === '' ? parts.length : parts.length - 1);
  if (old === '') return parts.map((letter, i) => letter + (i < breaks ? by : '')).join('');
  return parts.map((part, i) => (i === 0 ? part : (i <= breaks ? by : old) + part)).join('');
}

function split(text: string, separator: string | undefined, most: number, fromRight: boolean): string[] {
  if (separator === '') throw new TemplateError('empty separator');
  if (separator !== undefined) {
    const parts = text.split(separator);
    if (most < 0 || parts.length <= most + 1) return parts;
    return fromRight
      ? [parts.slice(0, parts.length - most).join(separator), ...parts.slice(parts.length - most)]
      : [...parts.slice(0, most), parts.slice(most).join(separator)];
  }
  const words: string[] = [];
  let rest = strip(text, undefined, fromRight ? 'right' : 'left');
  while (rest !== '' && (most < 0 || words.length < most)) {
    if (fromRight) {
      const word = /[\s\S]*$/.exec(rest)![0];
      let start = word.length;
      while (start > 0 && !onlySpace.test(word[start - 1]!)) start--;
      words.unshift(word.slice(start));
      rest = strip(word.slice(0, start), undefined, 'right');
    } else {
      const gap = spaceRun.exec(rest);
      words.push(gap ? rest.slice(0, gap.index) : rest);
      rest = gap ? rest.slice(gap.index + gap[0].length) : '';
    }
  }
  if (rest === '') return words;
  return fromRight ? [rest, ...words] : [...words, rest];
}

/** First character in upper case (of a digraph in title case), the others in lower. */
export function capitalized(text: string): string {
  const [first = '', ...others] = charactersOf(text);
  return titleLetter(first) + lower(others.join(''));
}

const digraphs: Readonly<Record<string, string>> = {
  Ǆ: 'ǅ',
  ǅ: 'ǅ',
  ǆ: 'ǅ',
  Ǉ: 'ǈ',
  ǈ: 'ǈ',
  ǉ: 'ǈ',
  Ǌ: 'ǋ',
  ǋ: 'ǋ',
  ǌ: 'ǋ',
  Ǳ: 'ǲ',
  ǲ: 'ǲ',
  ǳ: 'ǲ',
};

function titleLetter(letter: string): string {
  const upper = letter.toUpperCase();
  if (/[\u1f80-\u1fff]/.test(letter) && lengthOfText(upper) > 1) {
    throw new TemplateError(`the title case of ${letter} is not supported`);
  }
  if (letter === 'ŉ') return upper;
  // What becomes several letters has only its first in upper case.
  return digraphs[letter] ?? (lengthOfText(upper) > 1 ? upper[0]! + upper.slice(1).toLowerCase() : upper);
}

export function lower(text: string): string {
  return text.toLowerCase();
}

/** Python's str.title: words are runs of letters that have cases. */
function titled(text: string): string {
  let inside = false;
  return charactersOf(text)
    .map(letter => {
      const made = inside ? lower(letter) : titleLetter(letter);
      inside = /\p{Cased}/u.test(letter);
      return made;
    })
    .join('');
}

function isCase(text: string, own: RegExp, other: RegExp): boolean {
  return own.test(text) && !other.test(text);
}

export function isLower(text: string): boolean {
  return isCase(text, /\p{Lowercase}/u, /[\p{Uppercase}\p{Lt}]/u);
}

export function isUpper(text: string): boolean {
  return isCase(text, /\p{Uppercase}/u, /[\p{Lowercase}\p{Lt}]/u);
}

/** A window of a text by Python's rules for start and end. */
function bounds(
  what: string,
  text: string,
  start: Value | undefined,
  end: Value | undefined,
): {part: string; from: number; open: boolean} {
  const letters = charactersOf(text);
  const place = (value: Value | undefined, otherwise: number): number => {
    if (value === undefined || value === null) return otherwise;
    const at = integerArgument(what, value);
    return at < 0 ? Math.max(0, at + letters.length) : at;
  };
  const [from, to] = [place(start, 0), Math.min(place(end, letters.length), letters.length)];
  return {part: letters.slice(from, Math.max(from, to)).join(''), from, open: from <= letters.length && from <= to};
}

function padded(
  what: string,
  text: string,
  args: Called,
  fill: (missing: number) => [left: number, right: number],
): string {
  const [width, given] = bindPositional(what, args, 2, 1);
  const letter = given === undefined ? ' ' : textArgument(what, given);
  if (lengthOfText(letter) !== 1) throw new TemplateError(`${what}: one character expected to fill with`);
  const missing = Math.max(0, integerArgument(what, width) - lengthOfText(text));
  refuseCharacters(missing);
  const [left, right] = fill(missing);
  return letter.repeat(left) + text + letter.repeat(right);
}

export function centered(text: string, width: number, letter = ' '): string {
  const missing = Math.max(0, width - lengthOfText(text));
  refuseCharacters(missing);
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return letter.repeat(left) + text + letter.repeat(missing - left);
}

function found(text: string, args: Called, what: string, last: boolean): number {
  const [part, start, end] = bindPositional(what, args, 3, 1);
  const window = bounds(what, text, start, end);
  if (!window.open) return -1;
  const wanted = textArgument(what, part);
  const at = last ? window.part.lastIndexOf(wanted) : window.part.indexOf(wanted);
  return at < 0 ? -1 : window.from + lengthOfText(window.part.slice(0, at));
}

function affix(text: string, args: Called, what: 'startswith' | 'endswith'): boolean {
  const [wanted, start, end] = bindPositional(what, args, 3, 1);
  const {part, open} = bounds(what, text, start, end);
  const test = (value: Value): boolean => {
    const sought = textArgument(what, value);
    return open && (what === 'startswith' ? part.startsWith(sought) : part.endsWith(sought));
  };
  if (wanted instanceof Tuple) return wanted.items.some(test);
  return test(wanted!);
}

function stripMethod(side: Side, what: string): Method {
  return (text, args) => strip(text, optionalText(what, bindPositional(what, args, 1)[0]), side);
}

function splitMethod(fromRight: boolean, what: string): Method {
  return (text, args) => {
    const [separator, most] = bind(what, args, ['sep', 'maxsplit']);
    return split(text, optionalText(what, separator), most === undefined ? -1 : integerArgument(what, most), fromRight);
  };
}

function partition(text: string, args: Called, what: string, last: boolean): Value {
  const separator = textArgument(what, bindPositional(what, args, 1, 1)[0]);
  if (separator === '') throw new TemplateError('empty separator');
  const at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return new Tuple(last ? ['', '', text] : [text, '', '']);
  return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

function placed(at: number, what: string): bigint {
  if (at < 0) throw new TemplateError(`${what}: substring not found`);
  return BigInt(at);
}

function plain(make: (text: string) => Value, what: string): Method {
  return (text, args) => {
    bindPositional(what, args, 0);
    return make(text);
  };
}

function every(pattern: RegExp, what: string): Method {
  return plain(text => pattern.test(text), what);
}

type Method = (text: string, args: Called) => Value;

/** By name; what else Python has there is refused. */
export const textMethods: Readonly<Record<string, Method>> = {
  capitalize: plain(capitalized, 'capitalize'),
  center: (text, args) => {
    const [width, fill] = bindPositional('center', args, 2, 1);
    const letter = fill === undefined ? ' ' : textArgument('center', fill);
    if (lengthOfText(letter) !== 1) throw new TemplateError('center: one character expected to fill with');
    return centered(text, integerArgument('center', width), letter);
  },
  count: (text, args) => {
    const [part, start, end] = bindPositional('count', args, 3, 1);
    const window = bounds('count', text, start, end);
    const sought = textArgument('count', part);
    if (!window.open) return 0n;
    return BigInt(sought === '' ? lengthOfText(window.part) + 1 : window.part.split(sought).length - 1);
  },
  endswith: (text, args) => affix(text, args, 'endswith'),
  find: (text, args) => BigInt(found(text, args, 'find', false)),
  index: (text, args) => placed(found(text, args, 'index', false), 'index'),
  isalnum: every(/^[\p{L}\p{N}]+$/u, 'isalnum'),
  isalpha: every(/^\p{L}+$/u, 'isalpha'),
  isascii: every(/^[\0-\x7f]*$/, 'isascii'),
  isdecimal: every(/^\p{Nd}+$/u, 'isdecimal'),
  isdigit: plain(text => {
    if (/\p{No}/u.test(text)) throw new TemplateError('isdigit of other numbers than decimal ones is not supported');
    return /^\p{Nd}+$/u.test(text);
  }, 'isdigit'),
  islower: plain(isLower, 'islower'),
  isspace: every(onlySpace, 'isspace'),
  isupper: plain(isUpper, 'isupper'),
  join: (text, args) => {
    const [values] = bindPositional('join', args, 1, 1);
    const parts = [...iterate(values!)].map(value => {
      if (typeof value === 'string') return value;
      throw new TemplateError(`join: sequence item: expected str instance, ${typeOf(value)} found`);
    });
    return joinedText(parts, text);
  },
  ljust: (text, args) => padded('ljust', text, args, missing => [0, missing]),
  lower: plain(lower, 'lower'),
  lstrip: stripMethod('left', 'lstrip'),
  partition: (text, args) => partition(text, args, 'partition', false),
  removeprefix: (text, args) => {
    const part = textArgument('removeprefix', bindPositional('removeprefix', args, 1, 1)[0]);
    return text.startsWith(part) ? text.slice(part.length) : text;
  },
  removesuffix: (text, args) => {
    const part = textArgument('removesuffix', bindPositional('removesuffix', args, 1, 1)[0]);
    return part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text;
  },
  replace: (text, args) => {
    // By position only, before Python 3.13.
    const [old, by, count] = bindPositional('replace', args, 3, 2);
    const most = count === undefined ? -1 : integerArgument('replace', count);
    return replaced(text, textArgument('replace', old), textArgument('replace', by), most);
  },
  rfind: (text, args) => BigInt(found(text, args, 'rfind', true)),
  rindex: (text, args) => placed(found(text, args, 'rindex', true), 'rindex'),
  rjust: (text, args) => padded('rjust', text, args, missing => [missing, 0]),
  rpartition: (text, args) => partition(text, args, 'rpartition', true),
  rsplit: splitMethod(true, 'rsplit'),
  rstrip: stripMethod('right', 'rstrip'),
  split: splitMethod(false, 'split'),
  splitlines: (text, args) => {
    const [keep] = bind('splitlines', args, ['keepends']);
    return splitLines(text, keep !== undefined && keep !== null && keep !== false && keep !== 0n);
  },
  startswith: (text, args) => affix(text, args, 'startswith'),
  strip: stripMethod('both', 'strip'),
  title: plain(titled, 'title'),
  upper: plain(text => text.toUpperCase(), 'upper'),
  zfill: (text, args) => {
    const width = integerArgument('zfill', bindPositional('zfill', args, 1, 1)[0]);
    refuseCharacters(width);
    const [, sign, digits] = /^([+-]?)([\s\S]*)$/.exec(text)!;
    return sign! + '0'.repeat(Math.max(0, width - lengthOfText(text))) + digits!;
  },
};
