/** JSON of strangers, looked over before it becomes values: few bytes can stand for many objects, or for deep ones. */
import {SweepError} from './error.ts';

/** Values of a JSON text: the largest tokenizers have two million. */
const mostValues = 4_000_000;
/** Lists and objects within each other: what reads them later recurses. */
const deepest = 500;
/** Shorter texts cannot hold enough to matter. */
const harmless = 4096;

/**
 * The value of a JSON text.
 * @param place where it stands, for the sentence
 * @param most values
 * @throws SweepError `bad-file` beyond the bounds; SyntaxError as JSON.parse throws it
 */
export function parseJson(text: string, place: string, most: number = mostValues): unknown {
  if (text.length > harmless) {
    const {values, depth} = extentOf(text);
    const what =
      depth > deepest
        ? `lists and objects more than ${deepest} deep`
        : values > most
          ? `more than ${most.toLocaleString('en-US')} values`
          : undefined;
    if (what) throw new SweepError('bad-file', `${place} holds ${what}, which is not read.`, {place});
  }
  return JSON.parse(text);
}

/** Separators of values and the deepest nesting; of a text that is no JSON whatever comes out. */
function extentOf(text: string): {values: number; depth: number} {
  let [values, depth, most] = [1, 0, 0];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x2c:
        values++;
        break;
      case 0x5b:
      case 0x7b:
        values++;
        if (++depth > most) most = depth;
        if (most > deepest) return {values, depth: most};
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
  return {values, depth: most};
}

/** The closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
}
