import envPaths from 'env-paths';

/** The folder of everything that can be computed again: LORA_SWEEP_CACHE, else the system's place for caches. */
export function cacheFolder(): string {
  return process.env['LORA_SWEEP_CACHE'] || envPaths('lora-sweep', {suffix: ''}).cache;
}
