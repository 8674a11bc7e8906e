/** The JSON files of a model folder: always an object at the top. */
import {SweepError} from '../../core/error.ts';
import {readText} from './door.ts';
import {parsePythonJson} from './python-json.ts';

export type JsonObject = Record<string, unknown>;

/** Bytes of a JSON file of a model; the largest tokenizers have half of this. */
export const mostJsonBytes = 64 << 20;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a JSON object; null when there is no such file.
 * @throws SweepError `bad-model` when it cannot be read or is not a JSON object
 */
export function readJsonFile(file: string): JsonObject | null {
  let text: string;
  try {
    text = readText(file, mostJsonBytes);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new SweepError('bad-model', `${file} cannot be read (${code}).`, {file});
  }
  if (text.startsWith('version https://git-lfs'))
    throw new SweepError('bad-model', `${file} is a Git LFS pointer; \`git lfs pull\` brings the file itself.`, {file});
  let value: unknown;
  try {
    value = parsePythonJson(text.replace(/^\uFEFF/, ''), file);
  } catch (error) {
    if (error instanceof SweepError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SweepError('bad-model', `${file} is not JSON (${why}); fetch the model again.`, {file});
  }
  if (!isObject(value))
    throw new SweepError('bad-model', `${file} is not a JSON object; fetch the model again.`, {file});
  return value;
}
