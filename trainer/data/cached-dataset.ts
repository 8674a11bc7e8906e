/** The rows of a sweep from the cache of tokenised data sets, or tokenised and then kept. */
import {createHash} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {DataSettings} from '../../core/sweep/sweep.ts';
import {sizeOfRegular} from '../files/door.ts';
import {hashFiles} from '../store/hash.ts';
import {readTokens, writeTokens} from '../store/token-cache.ts';
import {type Dataset, type Loading, loadDataset} from './dataset.ts';
import type {EncodingModel} from './encode.ts';

/** Part of every key: raise it when the same rows become other tokens than before. */
const encodingVersion = 1;
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
  writeTokens(key, dataset);
  return dataset;
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
  const parts = {
    encodingVersion,
    settings: Object.entries({...others, columns: Object.entries(columns).sort()}).sort(),
    endings: files.map(file => file.slice(file.lastIndexOf('.'))),
    model: [config.vocabSize, config.eosIds],
    rows: await Promise.all(files.map(file => hashFiles(file))),
    tokenizer: await Promise.all(beside.map(async name => [name, await hashFiles(join(tokenizer!.folder, name))])),
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
