import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it, vi} from 'vitest';
import {planSweep} from '../../../trainer/plan/plan.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000});
const home = testFolder();
cpSync(fileURLToPath(new URL('../../../demo/', import.meta.url)), home, {recursive: true});

it('a variant whose method is timed by another one is planned beside axes', async () => {
  const file = join(home, 'variants.sweep.yaml');
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 16, max_length: 21}
methods: {lora: {}, mine: {method: pissa, rank: 2}}
targets: [q_proj]
rank: 4
batch_size: 8
learning_rate: 1e-3
training: {steps: 2, weight_decay: [0, 0.1]}
seeds: [1]
`,
  );
  const {trials} = await planSweep(file);
  expect(trials.map(({id}) => id)).toContain('mine-r2-b8-wd0.1-lr1.00e-3-s1');
});
