/** A base model from wherever it lies: a Hugging Face folder, or a GGUF file in one or by itself. */
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {ModelConfig} from './config.ts';
import {openGguf} from './gguf.ts';
import {readConfig} from './read-config.ts';
import {withHead} from './tied-head.ts';
import {checkWeights, hasSafetensors, openWeights, type WeightIndex} from './weights.ts';

export interface BaseModel {
  /** What it was opened by: a folder or a GGUF file. */
  path: string;
  /** Where the tokenizer lies. */
  folder: string;
  config: ModelConfig;
  weights: WeightIndex;
}

/**
 * Opens a model with all the weights its decoder needs.
 * @throws SweepError `missing-file`, `bad-model`, `unknown-architecture`
 */
export async function openModel(path: string): Promise<BaseModel> {
  const file = path.endsWith('.gguf') ? path : ggufIn(path);
  if (file === null) return openFolder(path);
  const {config, weights} = await openGguf(file);
  checkWeights(config, weights);
  return {path, folder: weights.folder, config, weights};
}

/** The same for a Hugging Face folder with safetensors. */
export function openFolder(folder: string): BaseModel {
  const said = readConfig(folder);
  const stored = openWeights(folder);
  const {config, tensors} = withHead(said, stored.tensors);
  const weights = {...stored, tensors};
  checkWeights(config, weights);
  return {path: folder, folder, config, weights};
}

/** The GGUF file of a folder that has no safetensors. */
function ggufIn(folder: string): string | null {
  if (!existsSync(folder) || hasSafetensors(folder)) return null;
  const files = readdirSync(folder).filter(name => name.endsWith('.gguf'));
  if (files.length > 1)
    throw new SweepError(
      'bad-model',
      `${folder} has ${files.length} GGUF files (${files.slice(0, 5).join(', ')}…); give the path of one.`,
      {folder},
    );
  return files[0] === undefined ? null : join(folder, files[0]);
}
