/** A run that a scheduler has, as the editor follows it: by its files, and by what the queue said last. */
import {appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {Run} from '../../../client/run/run.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import type {Status} from '../../../core/run/tasks/status.ts';
import {until} from '../../e2e/until.ts';
import {planOf} from '../../trainer/store/tasks/world.ts';

let home: string;
let said: string[];
let run: Run;

const plan = planOf(['lora', 'pissa']);
const status = (jobs: Status['jobs']): Status => ({
  ...{state: 'waiting', name: 'many', trials: {}, tasks: [], scheduler: 'slurm', jobs, eta_s: null},
});
const relay: Status['jobs'][number] = {job: '8', kind: 'relay', state: 'PENDING', reason: 'Dependency'};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lora-sweep-handed-'));
  mkdirSync(join(home, 'events'));
  writeFileSync(join(home, 'events.jsonl'), formatLine(plan));
  said = [];
  const say = (word: string) => () => void said.push(word);
  run = new Run(home, join(home, 'many.sweep.yaml'), {
    changed: () => {},
    ...{finished: say('finished'), died: say('died'), failed: say('failed')},
    ...{interrupted: say('interrupted'), refused: say('refused')},
  });
});
afterEach(() => {
  run.dispose();
  rmSync(home, {recursive: true, force: true});
});

function add(name: string, ...events: RunEventBody[]): void {
  appendFileSync(join(home, 'events', name), events.map(event => formatLine({...event, at: Date.now()})).join(''));
}
const submit = (number: number) =>
  add(`s000${number}.jsonl`, {
    ...{event: 'submitted', to: 'slurm', job: String(10 * number), tasks: ['t0001', 't0002'], round: number},
  });
const started = (task: string): RunEventBody => ({
  ...{event: 'task-started', task, attempt: 1, host: 'n1', engine: 'cpu', workers: 1, selected: []},
});
const ended = (task: string, state: 'finished' | 'failed'): RunEventBody => ({
  ...{event: 'task-ended', task, attempt: 1, state, seconds: 1},
});

it('is awaited while the queue has it, and followed to its end without a process here', async () => {
  submit(1);
  await run.attach();
  expect([run.alive, run.awaited, run.queues, run.hasLeft]).toEqual([false, true, true, false]);
  run.queued(status([relay]));
  expect(run.queue?.jobs).toEqual([relay]);
  for (const task of ['t0001', 't0002']) add(`${task}.a1.jsonl`, started(task));
  await until('life on a node', () => run.alive);
  for (const task of ['t0001', 't0002']) add(`${task}.a1.jsonl`, ended(task, 'finished'));
  await until('word of its end', () => said.length > 0);
  expect(said).toEqual(['finished']);
  expect([run.alive, run.awaited, run.hasLeft]).toEqual([false, false, false]);
});

it('is told to have failed where a task did, and something is left of it', async () => {
  submit(1);
  await run.attach();
  add('t0001.a1.jsonl', started('t0001'), ended('t0001', 'finished'));
  add('t0002.a1.jsonl', started('t0002'), ended('t0002', 'failed'));
  await until('word of its end', () => said.length > 0);
  expect(said).toEqual(['failed']);
  expect(run.hasLeft).toBe(true);
});

it('stands still when the queue has nothing of it, until it is handed over anew', async () => {
  submit(1);
  await run.attach();
  run.cancelled();
  expect([run.awaited, run.queues, run.hasLeft]).toEqual([false, false, true]);
  submit(2);
  await run.attach();
  // What the queue said before does not count.
  expect([run.awaited, run.queues, run.queue]).toEqual([true, true, undefined]);
});
