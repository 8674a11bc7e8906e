import {rm} from 'node:fs/promises';
import type {TestProject} from 'vitest/node';

/** The cache that the configuration made for this run goes with it. */
export default function setup({config}: TestProject): () => Promise<void> {
  const cache = config.env['LORA_SWEEP_CACHE'];
  return async () => {
    if (typeof cache === 'string') await rm(cache, {recursive: true, force: true});
  };
}
