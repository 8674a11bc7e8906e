/** JSON as Python writes it: NaN, Infinity and -Infinity may stand where numbers do. */
import {SweepError} from '../../core/error.ts';
import {parseJson} from '../../core/json.ts';

/**
 * Such numbers become their own words: whoever needs a number refuses them by name, and keys that nobody reads do not matter.
 * @param place where it stands, for the sentence
 * @throws SyntaxError; SweepError `bad-file` beyond the bounds
 */
export function parsePythonJson(text: string, place: string): unknown {
  try {
    return parseJson(text, place);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const mended = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, found =>
      found.startsWith('"') ? found : `"${found}"`,
    );
    if (mended === text) throw error;
    return parseJson(mended, place);
  }
}
