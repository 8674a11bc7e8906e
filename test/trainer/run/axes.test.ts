import {cpSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it, vi} from 'vitest';
import {trialFile} from '../../../client/trial-file.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {demoRuns} from '../demo-runs.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 1_800_000});
const home = testFolder();
const {run} = demoRuns(home);
cpSync(join(home, 'base'), join(home, 'other'), {recursive: true});

const text = `name: axes
model: [base, other]
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: [16, 24], max_length: 21}
methods: {lora: {}, lora-attention: {method: lora, targets: [q_proj, v_proj]}}
rank: 4
alpha: [rank, 2*rank]
batch_size: 8
learning_rate: 3e-3
tune: [learning_rate, training.weight_decay]
training: {steps: 3, optimizer: [adamw, {name: sgd, momentum: 0.9}], weight_decay: [0, 0.1, 0.5]}
seeds: {start: [7], order: 42}
`;

it('every trial of a sweep with axes takes the steps that it takes alone, byte for byte', async () => {
  const {sweep} = readSweep(text);
  const trials = expandTrials(sweep!);
  expect(trials).toHaveLength(2 * 2 * 2 * 2 * 2 * 3);
  const {steps: together} = await run('axes', text);
  expect([...together.keys()].sort()).toEqual(trials.map(({id}) => id).sort());
  // Ends of all axes and what lies between: every fifth trial stands for its neighbours.
  const some = trials.filter((_, place) => place % 5 === 0);
  for (const [place, {id}] of some.entries()) {
    const {steps: alone} = await run(`alone-${place}`, JSON.stringify(trialFile(sweep!, id, null)));
    expect([...alone.values()], id).toEqual([together.get(id)]);
  }
  const different = new Set(together.values());
  // Two base models with the same weights train alike; a decay shows in no step before the second.
  expect(different.size).toBe(trials.length / 2);
  expect(readFileSync(join(home, '.lora-sweep', 'axes', 'manifest.json'), 'utf8')).toContain('"by trial"');
});
