import {constants} from 'node:fs';
import {chmod, copyFile, readdir, stat, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {newFolder} from '../files/new-folder.ts';
import type {WeightIndex} from '../model/weights.ts';

/** What belongs to a model besides its weights: configuration, tokenizer, chat template, licence. */
const companions =
  /^(config|generation_config|tokenizer.*|special_tokens_map|added_tokens|vocab|merges|spiece|sentencepiece.*|chat_template.*|preprocessor_config|processor_config|licen[cs]e.*|notice.*|use_policy.*)(\.(json|txt|model|jinja|md))?$/i;

export interface ModelFolderOptions {
  /** Of the base. */
  weights: WeightIndex;
  /** A new or empty folder. */
  target: string;
  /** The text of README.md. */
  card: string;
  /** Writes over the copied weight files in a folder. */
  change(folder: string): Promise<void>;
}

/**
 * Writes a model that differs from its base in its weights to `target`: each file is copied, then weights are written over
 * in place, so that file names, order and types are the base's.
 * @throws SweepError `folder-in-use`, `disk-full`, `cannot-write`, `bad-model`
 */
export async function writeModelFolder({weights, target, card, change}: ModelFolderOptions): Promise<void> {
  checkWritable(weights);
  const {folder, files} = weights;
  const names = (await readdir(folder)).filter(name => companions.test(name));
  const index = 'model.safetensors.index.json';
  const others = files.length > 1 || basename(files[0]!) !== 'model.safetensors' ? [...names, index] : names;
  const copied = [...files, ...others.map(name => join(folder, name))];
  const sizes = await Promise.all(copied.map(async file => (await stat(file)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, card.length);
  await newFolder(target, bytes, async temporary => {
    for (const file of copied) {
      const copy = join(temporary, basename(file));
      await copyFile(file, copy, constants.COPYFILE_FICLONE);
      // The files of the hub cache may be read-only.
      await chmod(copy, 0o644);
    }
    await writeFile(join(temporary, 'README.md'), card);
    await change(temporary);
  });
}

/**
 * Whether weights can be written in the place of a model's own.
 * @throws SweepError `bad-model`
 */
export function checkWritable({files}: Pick<WeightIndex, 'files'>): void {
  const foreign = files.find(file => !file.endsWith('.safetensors'));
  if (foreign !== undefined)
    throw new SweepError(
      'bad-model',
      `${foreign} is not a safetensors file, so no trained weights can be written in its place; take the base model in safetensors format.`,
      {file: foreign},
    );
}
