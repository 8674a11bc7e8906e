import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {openSweep} from '../../../trainer/run/sweep-file.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const home = testFolder();
cpSync(demo, home, {recursive: true});
const prepared = (rows: string) => {
  const file = join(home, 'rows.sweep.yaml');
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: ${rows}}
methods: [lora]
learning_rate: [1e-3]
training: {steps: 1, weight_decay: [0, 0.1]}
`,
  );
  return openSweep(file).prepare(1);
};

it('two numbers of rows of which the file has less are refused, as they are the same rows', async () => {
  await expect(prepared('[32, 1000000, 2000000]')).rejects.toThrow(
    /^data\.rows 1000000 and 2000000 are the same rows: desc-train\.jsonl has [\d,]+, so that their trials would be trained twice; leave one of them out\.$/,
  );
});

it('one of them may be more than there are', async () => {
  expect((await prepared('[32, 1000000]')).rowsRead).toBe(32);
});
