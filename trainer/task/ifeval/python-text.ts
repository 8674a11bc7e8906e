/** Texts as Python sees them, where JavaScript sees them otherwise: white space, letters, words, lines. */

/** What Python's `\s` and `strip` take for white space. */
export const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
/** Python's `\w`. */
const word = '[\\p{L}\\p{N}_]';
/** Python's `\b`. */
const edge = `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
/** What `^`, `$` and `.` mean with re.MULTILINE. */
export const line = {start: '(?<![^\\n])', end: '(?![^\\n])', any: '[^\\n]'};

/** What a letter behind a backslash means there, outside of a class. */
const escapes: Readonly<Record<string, string>> = {
  s: space,
  w: word,
  b: edge,
  d: '\\p{Nd}',
  S: `(?!${space})[^]`,
  W: `(?!${word})[^]`,
};

/**
 * A pattern of Python's `re` that a row brings along, as most are: words, perhaps with a few signs.
 * @throws SyntaxError for one that JavaScript does not have
 */
export function pythonPattern(source: string, flags: string): RegExp {
  const translated = source.replace(/\\(.)|\[(?:\\.|[^\]])+\]|\./gsu, (all, escaped: string | undefined) => {
    if (escaped === undefined) return all === '.' ? line.any : all;
    // JavaScript lets no sign be escaped for nothing.
    return escapes[escaped] ?? (/[\p{L}\d^$\\.*+?()[\]{}|/]/u.test(escaped) ? all : escaped);
  });
  return new RegExp(translated, `u${flags}`);
}

const around = new RegExp(`^${space}+|${space}+$`, 'gu');
/** Python's `strip()`. */
export const strip = (text: string): string => text.replace(around, '');

/** Python's `strip(signs)`. */
export function stripSigns(text: string, sign: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === sign) start++;
  while (end > start && text[end - 1] === sign) end--;
  return text.slice(start, end);
}

/** Python's `isupper()`: a letter with a case, and none that is small. */
export const isUpper = (text: string): boolean => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);

const words = new RegExp(`${word}+`, 'gu');
export const wordsIn = (text: string): number => text.match(words)?.length ?? 0;

const firstWord = new RegExp(`^(?:(?!${space})[^])+`, 'u');
/** What `split()[0]` gives of a text that begins with no white space. */
export const wordAtStart = (text: string): string => firstWord.exec(text)?.[0] ?? '';

/** Whether `json.loads` reads it: as JSON, and NaN and Infinity beside the numbers. */
export function isPythonJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, found => (found[0] === '"' ? found : '0')));
    return true;
  } catch {
    return false;
  }
}
