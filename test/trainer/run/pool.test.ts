import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, it} from 'vitest';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();

it('jobs that no thread can be given are told in one sentence, and no worker outlives its pool', async () => {
  const file = join(folder, 's.sweep.yaml');
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora]
learning_rate: 1e-3
training: {steps: 2}
`,
  );
  const script = fileURLToPath(new URL('../damaged-job.ts', import.meta.url));
  const {stdout} = await promisify(execFile)(process.execPath, [script, file]);
  const {estimate, notes, codes} = JSON.parse(stdout);
  expect(estimate).toBe(null);
  expect(notes).toEqual([
    expect.stringMatching(
      /^No step could be timed: The job cannot be given to a worker thread: .* could not be cloned\.$/,
    ),
  ]);
  expect(codes).toEqual(['worker-died']);
});
