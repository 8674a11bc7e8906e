import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {defineConfig} from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/long/**', 'test/fixtures/**', 'node_modules/**'],
    // Native libraries and worker threads are in use: a process a test file.
    pool: 'forks',
    // As many test files side by side as there are cores: much of a test is waiting for other processes.
    maxWorkers: '100%',
    // Half an hour: only what hangs for ever meets it. How long a test takes says nothing about what it tests.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    expect: {poll: {timeout: 1_800_000}},
    // What the user's cache remembers of this machine is no part of a test.
    env: {LORA_SWEEP_CACHE: mkdtempSync(join(tmpdir(), 'lora-sweep-cache-'))},
    globalSetup: 'test/remove-cache.ts',
  },
});
