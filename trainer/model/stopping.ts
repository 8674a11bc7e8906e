/** Texts that end a generation. */

/** The text before the first of the stop strings; all of it where there is none. */
export function textBefore(text: string, stop: readonly string[]): string {
  const places = stop.map(end => text.indexOf(end)).filter(at => at >= 0);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

/** Tokens looked at besides those that can hold a stop string: a decoder may treat the first one differently. */
const margin = 4;

/**
 * A check to be made after every new token: how many of the ids to keep where their text has come to a stop string, null
 * where it goes on. Kept are the fewest ids that hold the whole text before it (`textBefore` cuts what stands in
 * the same token).
 */
export function stopCheck(
  stop: readonly string[],
  decode: (ids: readonly number[]) => string,
): (ids: readonly number[]) => number | null {
  if (stop.length === 0) return () => null;
  const longest = Math.max(...stop.map(end => Buffer.byteLength(end)));
  const reached = (text: string) => stop.some(end => text.includes(end));
  return ids => {
    // A token is one byte at least, so that a stop string ends in the last ones.
    if (!reached(decode(ids.slice(-(longest + margin))))) return null;
    const text = decode(ids);
    if (!reached(text)) return null;
    const before = textBefore(text, stop);
    let kept = ids.length;
    while (kept > 0 && decode(ids.slice(0, kept - 1)).startsWith(before)) kept--;
    return kept;
  };
}
