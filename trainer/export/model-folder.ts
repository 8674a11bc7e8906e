/** A base model with an adapter merged into it, as a model folder that transformers loads. */
import {constants} from 'node:fs';
import {chmod, copyFile, readdir, stat, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {basename, join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {chooseEngine, inFloat32} from '../engine/choose.ts';
import type {BaseModel} from '../model/open-model.ts';
import type {WeightIndex} from '../model/weights.ts';
import {type Failure, openPool} from '../pool.ts';
import {newFolder} from '../store/new-folder.ts';

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

export interface MergeOptions {
  base: BaseModel;
  adapter: string;
  target: string;
  /** The text of README.md. */
  card: string;
  progress(done: number, total: number): void;
}

/**
 * Writes the base with an adapter merged into it to `target`, one matrix at a time in memory.
 * @throws SweepError as `writeModelFolder`, and `bad-adapter`, `out-of-range`
 */
export function writeMergedModel({base, adapter, target, card, progress}: MergeOptions): Promise<void> {
  const change = (folder: string) => mergeOnWorker(base, adapter, folder, progress);
  return writeModelFolder({weights: base.weights, target, card, change});
}

async function mergeOnWorker(
  base: BaseModel,
  adapter: string,
  folder: string,
  progress: MergeOptions['progress'],
): Promise<void> {
  const {engine, precision} = await chooseEngine({...inFloat32, engine: 'auto'});
  const pool = openPool(1, {base, engine, precision, threads: availableParallelism()});
  try {
    let failure: Failure | undefined;
    await pool.run([{kind: 'merge', adapter, folder}], {
      event: event => {
        if (event.event === 'prepared') progress(event.done, event.total);
      },
      generated: () => {},
      ended: (_, fault) => {
        failure = fault;
      },
    });
    if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
  } finally {
    await pool.close();
  }
}
