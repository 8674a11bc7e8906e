import {cpSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it, vi} from 'vitest';
import {trialFile} from '../../../client/trial-file.ts';
import type {RunEvent} from '../../../core/run/events.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 1_800_000});
const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const home = testFolder();
cpSync(demo, home, {recursive: true});
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

/** Losses, rates and gradient norms of each trial, step by step, as they are stored. */
async function stepsOf(name: string, content: string): Promise<Map<string, string>> {
  const file = join(home, `${name}.sweep.yaml`);
  writeFileSync(file, content);
  const events: RunEvent[] = [];
  const {signal} = new AbortController();
  expect(
    await runSweep(file, {only: [], resume: false, reuse: false, signal, onEvent: event => events.push(event)}),
  ).toBe('finished');
  const steps = new Map<string, string>();
  for (const event of events)
    if (event.event === 'step')
      for (const [lane, trial] of event.trials.entries()) {
        const row = [event.step, event.losses[lane], event.rates[lane], event.gradNorms[lane]];
        steps.set(trial, `${steps.get(trial) ?? ''}${JSON.stringify(row)}\n`);
      }
  return steps;
}

it('every trial of a sweep with axes takes the steps that it takes alone, byte for byte', async () => {
  const {sweep} = readSweep(text);
  const trials = expandTrials(sweep!);
  expect(trials).toHaveLength(2 * 2 * 2 * 2 * 2 * 3);
  const together = await stepsOf('axes', text);
  expect([...together.keys()].sort()).toEqual(trials.map(({id}) => id).sort());
  // Ends of all axes and what lies between: every fifth trial stands for its neighbours.
  const some = trials.filter((_, place) => place % 5 === 0);
  for (const [place, {id}] of some.entries()) {
    const alone = await stepsOf(`alone-${place}`, JSON.stringify(trialFile(sweep!, id, null)));
    expect([...alone.values()], id).toEqual([together.get(id)]);
  }
  const different = new Set(together.values());
  // Two base models with the same weights train alike; a decay shows in no step before the second.
  expect(different.size).toBe(trials.length / 2);
  expect(readFileSync(join(home, '.lora-sweep', 'axes', 'manifest.json'), 'utf8')).toContain('"by trial"');
});
