/**
 * Text of strangers as a terminal may show it: characters that command a terminal, or turn the order of what is read,
 * are written out.
 */

/** Control characters but tab and line end (a carriage return writes over a line), C1, and overrides of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const commands = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** Those of them that JSON does not write as escapes by itself. */
const raw = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** `\x1b[2J` for what would clear the screen. */
export function printable(text: string): string {
  return text.replace(commands, character => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : escapeOf(code);
  });
}

/** Characters of a word that a person may still look at: a path has no more. */
const longestWord = 4096;

/** The text without the middle of words that nobody reads. */
export function abridged(text: string): string {
  return text.replace(/\S+/g, word =>
    word.length <= longestWord ? word : `${word.slice(0, 200)}… (${word.length.toLocaleString('en')} characters)`,
  );
}

/** The same JSON, of characters that no terminal obeys. */
export function printableJson(json: string): string {
  return json.replace(raw, character => escapeOf(character.charCodeAt(0)));
}

const escapeOf = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`;
