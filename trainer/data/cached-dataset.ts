/** The rows of a sweep from the cache of tokenised data sets, or tokenised and then kept. */
import {createHash} from 'node:crypto';
import {existsSync, readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {cacheFolder} from '../files/cache-folder.ts';
import {sizeOfRegular} from '../files/door.ts';
import {hashFiles} from '../files/hash.ts';
import {additionalTemplates} from '../text/chat-template.ts';
import {type Dataset, type Loading, loadDataset} from './dataset.ts';
import type {EncodingModel} from './encode.ts';
import {readTokens, writeTokens} from './token-cache.ts';

/** Part of every key: raise it when the same rows become other tokens than before. */
const encodingVersion = 4;
/** Smaller files are tokenised faster than they are worth keeping. */
const leastBytes = 1e6;
/** Files beside a model that decide how text becomes tokens. */
const tokenizerFile = /^(tokenizer(_config)?|special_tokens_map|chat_template)\.(json|jinja)$/;

/**
 * As `loadDataset`; what it gave for the same files, tokenizer and settings is taken from the cache.
 * @throws SweepError as `loadDataset`
 */
export async function cachedDataset(
  data: DataSettings,
  base: string,
  model: EncodingModel,
  loading: Loading = {},
): Promise<Dataset> {
  const files = data.train.map(file => resolve(base, file));
  const worthIt = files.reduce((sum, file) => sum + (sizeOfRegular(file) ?? Number.NaN), 0) >= leastBytes;
  if (!worthIt) return loadDataset(data, base, model, loading);
  const key = await keyOf(data, files, model);
  const kept = readTokens(key);
  if (kept) {
    loading.progress?.(kept.count, kept.count);
    return kept;
  }
  const dataset = await loadDataset(data, base, model, loading);
  if (!writeTokens(key, dataset)) loading.note?.(notKept(cacheFolder()));
  return dataset;
}

/** The same sentence for every data set, so that a log can say it once. */
function notKept(folder: string): string {
  return `Tokenised rows are not kept for the next run, as the cache ${folder} cannot be written; LORA_SWEEP_CACHE can name another folder.`;
}

/** Everything the tokens depend on; where the files lie and the order of training do not matter. */
async function keyOf(
  {train: _, shuffle: __, ...settings}: DataSettings,
  files: readonly string[],
  {tokenizer, config}: EncodingModel,
): Promise<string> {
  const {columns, ...others} = settings;
  const beside = tokenizer
    ? readdirSync(tokenizer.folder)
        .filter(name => tokenizerFile.test(name))
        .sort()
    : [];
  const more = tokenizer ? templatesBeside(tokenizer.folder) : [];
  const parts = {
    encodingVersion,
    settings: Object.entries({...others, columns: Object.entries(columns).sort()}).sort(),
    endings: files.map(file => file.slice(file.lastIndexOf('.'))),
    model: [config.vocabSize, config.eosIds],
    rows: await Promise.all(files.map(file => hashFiles(file))),
    tokenizer: await Promise.all(
      [...beside, ...more].map(async name => [name, await hashFiles(join(tokenizer!.folder, name))]),
    ),
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Files of further named chat templates, relative to the folder. */
function templatesBeside(folder: string): string[] {
  const beside = join(folder, additionalTemplates);
  if (!existsSync(beside)) return [];
  return readdirSync(beside)
    .filter(name => name.endsWith('.jinja'))
    .sort()
    .map(name => join(additionalTemplates, name));
}
