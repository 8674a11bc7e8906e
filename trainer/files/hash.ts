/** SHA-256 of files, for the record of a run. */
import {createHash} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {chunksOf} from './door.ts';
import {storeError} from './write-whole.ts';

/**
 * Hex digest of the files' bytes, one after another.
 * @throws SweepError `cannot-write` (as the system says) for a file that cannot be read
 */
export async function hashFiles(...files: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    try {
      await pipeline(chunksOf(file), hash, {end: false});
    } catch (error) {
      throw storeError(error, file);
    }
  }
  return hash.digest('hex');
}

/** What a model is besides its weights: by file name. */
const companions =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|chat_template)\.(json|jinja)$/;

/** Names of the files of a model folder, its weights left out, that its numbers or its texts depend on. */
export function companionsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => companions.test(name))
    .sort();
}

/** Digest of each file beside a model's weights that its numbers or its texts depend on, by name. */
export async function hashCompanions(folder: string): Promise<Record<string, string>> {
  const names = companionsIn(folder);
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await hashFiles(join(folder, name))])));
}
