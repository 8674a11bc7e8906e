import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it, vi} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {evaluated} from '../../../trainer/ask/evaluated.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000});
const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const home = testFolder();
cpSync(demo, home, {recursive: true});
const file = join(home, 'later.sweep.yaml');

const loss = '{task: loss, data: desc-test.jsonl, limit: 16}';
const exact = '{task: exact-match, data: desc-test.jsonl, limit: 8, max_new_tokens: 4}';
const text = (evaluate: string) => `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64, max_length: 21}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: [3e-3, 1e-2]
training: {steps: 8}
evaluate: [${evaluate}]
`;

async function run(options: {evaluateOnly?: true; resume?: true; out?: string}): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const {signal} = new AbortController();
  const asked = {only: [], resume: false, signal, ...options, onEvent: (event: RunEvent) => void events.push(event)};
  expect(await runSweep(file, asked)).toBe('finished');
  return events;
}

const results = (events: readonly RunEvent[]) =>
  events
    .flatMap(event => (event.event === 'evaluation' ? [{...event, at: 0}] : []))
    .sort((a, b) => a.trial.localeCompare(b.trial) || (a.index ?? 0) - (b.index ?? 0));

it('an evaluation that comes later is made of the stored adapters, with the results of one that was there from the start', async () => {
  writeFileSync(file, text(`${loss}, ${exact}`));
  const whole = results(await run({out: join(home, 'whole')}));
  expect(whole).toHaveLength(8);

  writeFileSync(file, text(loss));
  await run({});
  writeFileSync(file, text(`${loss}, ${exact}`));
  const {out} = await evaluated(file);
  expect(await evaluated(out)).toEqual({file, out});
  const events = await run({resume: true, evaluateOnly: true, out});
  expect(events.filter(({event}) => event === 'trial-started')).toEqual([]);
  expect(results(events)).toEqual(whole.filter(({task}) => task === 'exact-match'));

  // What is there is not made again, and a resumed run does the same beside its training.
  expect(results(await run({resume: true, evaluateOnly: true, out}))).toEqual([]);
  writeFileSync(file, text(`${loss}, ${exact}, ${loss.replace('loss', 'custom, scorer: score.mjs')}`));
  writeFileSync(join(home, 'score.mjs'), 'export const score = ({output}) => output.length;\n');
  const resumed = results(await run({resume: true}));
  expect(resumed.map(({task}) => task)).toEqual(['custom', 'custom', 'custom', 'custom']);
});

it('a changed evaluation is still refused', async () => {
  writeFileSync(file, text(`${loss.replace('16', '8')}, ${exact}`));
  await expect(run({resume: true})).rejects.toThrow('evaluate[0].limit changed from 16 to 8');
});
