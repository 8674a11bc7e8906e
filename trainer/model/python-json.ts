/** JSON as Python writes it: NaN, Infinity and -Infinity may stand where numbers do. */

/**
 * Such numbers become their own words: whoever needs a number refuses them by name, and keys that nobody reads do not matter.
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const mended = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, found =>
      found.startsWith('"') ? found : `"${found}"`,
    );
    if (mended === text) throw error;
    return JSON.parse(mended);
  }
}
