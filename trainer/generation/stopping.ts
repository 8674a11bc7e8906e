/** Texts that end a generation. */

/** The text before the first of the stop strings; all of it where there is none. */
export function textBefore(text: string, stop: readonly string[]): string {
  const places = stop.map(end => text.indexOf(end)).filter(at => at >= 0);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

/** The text of new ids that follow others. */
export type Decode = (ids: readonly number[], after: readonly number[]) => string;

/** Tokens looked at besides those that can hold a stop string: some have no text. */
const margin = 4;
/** Tokens before those, by which their text may depend on what it follows. */
const context = 16;

/** A check to be made after every new token: whether the text of the ids, which follow a prompt's, has come to a stop string. */
export function stopCheck(
  stop: readonly string[],
  decode: Decode,
): (ids: readonly number[], prompt: readonly number[]) => boolean {
  if (stop.length === 0) return () => false;
  // A token is one byte at least, so that a stop string lies in the last ones.
  const longest = Math.max(...stop.map(end => Buffer.byteLength(end)));
  return (ids, prompt) => {
    const from = Math.max(0, ids.length - (longest + margin));
    const before = ids.slice(Math.max(0, from - context), from);
    const after = from < context ? [...prompt.slice(-(context - from)), ...before] : before;
    const text = decode(ids.slice(from), after);
    return stop.some(end => text.includes(end));
  };
}
