import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it, vi} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {evaluated} from '../../../trainer/ask/evaluated.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {readRun} from '../../../trainer/store/run.ts';
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

it('another limit, and a second evaluation of the task, are made of the stored adapters, with the results of a run that had them', async () => {
  const [shorter, other] = [loss.replace('16', '8'), '{task: loss, data: desc-train.jsonl, limit: 4}'];
  const wanted = text(`${shorter}, ${exact}, ${other}`);
  writeFileSync(file, text(`${loss}, ${exact}`));
  const out = join(home, 'edited');
  await run({out});
  writeFileSync(file, wanted);
  const events = await run({out, resume: true});
  expect(events.filter(({event}) => event === 'trial-started')).toEqual([]);
  const notes = events.flatMap(event => (event.event === 'note' ? event.message : []));
  expect(notes.join(' ')).toContain('loss is asked with another limit');
  const whole = await run({out: join(home, 'wanted')});
  const told = async (folder: string) => {
    const {state} = await readRun(folder);
    return state.trials.map(({trial, evaluations}) => [
      trial.id,
      evaluations.map(({task, value, total, step}) => [task, value, total, step]),
    ]);
  };
  // Sums of float32 in another order: some units in the last place.
  const close = (value: number | null) => expect.closeTo(value ?? Number.NaN, 5);
  const near = (await told(join(home, 'wanted'))).map(([id, own]) => [
    id,
    (own as [string, number | null, number, number][]).map(([task, value, ...rest]) => [task, close(value), ...rest]),
  ]);
  expect(await told(out)).toEqual(near);
  expect(results(whole)).toHaveLength(12);
  const [[, first]] = (await told(out)) as [[string, [string][]]];
  expect(first.map(([task]) => task)).toEqual(['loss on desc-test.jsonl', 'exact-match', 'loss on desc-train.jsonl']);
});

it('results keep their numbers where a second evaluation of their task only gives them a longer name', async () => {
  writeFileSync(file, text(loss));
  const out = join(home, 'named');
  const before = new Map(results(await run({out})).map(({trial, value}) => [trial, value]));
  writeFileSync(file, text(`${loss}, {task: loss, data: desc-train.jsonl, limit: 4}`));
  const events = await run({out, resume: true, evaluateOnly: true});
  expect(results(events).map(({entry}) => entry)).toEqual(Array(4).fill('desc-train.jsonl'));
  const {state} = await readRun(out);
  for (const {trial, evaluations} of state.trials)
    expect(evaluations).toMatchObject([
      {task: 'loss on desc-test.jsonl', value: before.get(trial.id)},
      {task: 'loss on desc-train.jsonl'},
    ]);
});

it('an evaluation that is otherwise changed is refused', async () => {
  writeFileSync(file, text(loss));
  const out = join(home, 'refused');
  await run({out});
  writeFileSync(file, text(loss.replace('desc-test', 'desc-train')));
  await expect(run({out, resume: true})).rejects.toThrow('the content of evaluate[0].data (desc-train.jsonl) changed');
});

it('a loss relative to the base is less what the base itself has, for every method, also where it comes later', async () => {
  const others = '{task: loss, data: desc-train.jsonl, limit: 12, relative_to: base}';
  const out = join(home, 'relative');
  writeFileSync(file, text(loss));
  await run({out});
  writeFileSync(file, text(`${loss}, ${others}`));
  const later = results(await run({resume: true, evaluateOnly: true, out}));
  const whole = results(await run({out: join(home, 'relative-whole')}));
  const {scores} = await evaluateModel({
    ...{model: join(home, 'base'), task: 'loss', data: join(home, 'desc-train.jsonl'), limit: 12, engine: 'auto'},
    ...{format: 'completion', columns: {prompt: 'prompt', completion: 'answer'}},
  });
  for (const one of [later, whole]) {
    const told = (metric: string): number[] =>
      one.flatMap(({metric: name, index, value}) => (name === metric && index === 1 ? [value!] : []));
    expect(told('loss')).toHaveLength(4);
    const before = told('forgetting').map((value, k) => told('loss')[k]! - value);
    expect(before).toEqual(before.map(() => expect.closeTo(scores[0]!.value!, 6)));
    expect(Math.min(...told('forgetting'))).not.toBe(0);
  }
});
