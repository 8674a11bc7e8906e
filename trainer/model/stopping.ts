/** Texts that end a generation. */

/** The text before the first of the stop strings; all of it where there is none. */
export function textBefore(text: string, stop: readonly string[]): string {
  const places = stop.map(end => text.indexOf(end)).filter(at => at >= 0);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

/** Tokens looked at besides those that can hold a stop string: a decoder may treat the first one differently. */
const margin = 4;

/** A check to be made after every new token: whether the ids' text has come to a stop string. */
export function stopCheck(
  stop: readonly string[],
  decode: (ids: readonly number[]) => string,
): (ids: readonly number[]) => boolean {
  if (stop.length === 0) return () => false;
  // A token is one byte at least, so that a stop string lies in the last ones.
  const longest = Math.max(...stop.map(end => Buffer.byteLength(end)));
  return ids => {
    const text = decode(ids.slice(-(longest + margin)));
    return stop.some(end => text.includes(end));
  };
}
