import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {golden} from '../golden.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  writeFileSync(join(folder, 'rows.jsonl'), '{"input_ids": [1, 5, 6], "labels": [-100, 5, 6]}\n'.repeat(4));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

async function eventsOf(methods: string, workers: number): Promise<RunEvent[]> {
  const own = mkdtempSync(join(folder, 'run-'));
  // Nothing is factorised yet.
  process.env['LORA_SWEEP_CACHE'] = join(own, 'cache');
  mkdirSync(join(own, 'cache'));
  const sweep = join(own, 's.sweep.yaml');
  writeFileSync(
    sweep,
    `model: ${golden('models/llama')}
data: {train: ../rows.jsonl, format: tokens}
methods: ${methods}
learning_rate: [1e-3, 2e-3]
rank: 2
batch_size: 1
training: {steps: 2}
run: {workers: ${workers}}
`,
  );
  const events: RunEvent[] = [];
  const end = await runSweep(sweep, {
    only: [],
    resume: false,
    signal: new AbortController().signal,
    onEvent: event => void events.push(event),
  });
  expect(end).toBe('finished');
  return events;
}

/** Places of the events that say that so many matrices are factorised, and of each trial's beginning. */
const placesOf = (events: RunEvent[]) => ({
  factorised: events.flatMap((event, at) =>
    event.event === 'prepared' && event.what === 'factorising weights' ? [at] : [],
  ),
  began: new Map(events.flatMap((event, at) => (event.event === 'trial-started' ? [[event.trial, at] as const] : []))),
});

it('a method that draws its factors does not wait for those of others, and each of those waits for its own only', async () => {
  for (const workers of [1, 2]) {
    const events = await eventsOf('[pissa, milora, lora]', workers);
    const {factorised, began} = placesOf(events);
    const beginnings = (method: string) => [...began].filter(([id]) => id.startsWith(`${method}-`)).map(([, at]) => at);
    expect(began.size).toBe(6);
    // As many matrices for either method.
    const each = factorised.length / 2;
    // A worker alone has nothing beside it that could overtake.
    if (workers === 1) expect(Math.min(...beginnings('lora'))).toBeLessThan(factorised[0]!);
    expect(Math.min(...beginnings('pissa'))).toBeGreaterThan(factorised[each - 1]!);
    expect(Math.min(...beginnings('milora'))).toBeGreaterThan(factorised[2 * each - 1]!);
  }
});

it('where every method needs them, they are made first, each matrix once', async () => {
  const events = await eventsOf('[pissa]', 2);
  const {factorised, began} = placesOf(events);
  expect(Math.min(...began.values())).toBeGreaterThan(factorised.at(-1)!);
  const last = events[factorised.at(-1)!] as Extract<RunEvent, {event: 'prepared'}>;
  expect(last).toMatchObject({done: factorised.length, total: factorised.length});
});
