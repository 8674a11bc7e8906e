import {defineConfig} from 'vitest/config';

/** `npm run test:long`: against PyTorch, transformers and PEFT, installed by the benchmark, and on SmolLM2-135M. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    pool: 'forks',
    // One after another: each takes all cores and gigabytes.
    fileParallelism: false,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
  },
});
