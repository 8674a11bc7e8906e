import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {noMemory, roomError} from '../../../trainer/engine/program/no-room.ts';
import {type Form, smallerForm} from '../../../trainer/run/smaller-form.ts';
import {testFolder} from '../test-folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = testFolder();

describe('a smaller form', () => {
  const all = (first: Form, mayRecompute: boolean): Form[] => {
    const forms: Form[] = [];
    for (let next = smallerForm(first, mayRecompute); next; next = smallerForm(next.form, mayRecompute))
      forms.push(next.form);
    return forms;
  };

  it('computes layers again, then takes fewer rows, then fewer workers; behind that there is none', () => {
    expect(all({recompute: false, rows: 5, workers: 3}, true)).toEqual([
      {recompute: true, rows: 5, workers: 3},
      {recompute: true, rows: 3, workers: 3},
      {recompute: true, rows: 2, workers: 3},
      {recompute: true, rows: 1, workers: 3},
      {recompute: true, rows: 1, workers: 2},
      {recompute: true, rows: 1, workers: 1},
    ]);
  });

  it('computes no layers again where the sweep file rules that out', () => {
    expect(all({recompute: false, rows: 2, workers: 1}, false)).toEqual([{recompute: false, rows: 1, workers: 1}]);
  });
});

it.each([
  "Non-zero status code returned while running QuickGelu node. Name:'' Status Message: std::bad_alloc",
  'Array buffer allocation failed',
  'OOM when allocating tensor with shape[512,33,64]',
  'spawn ENOMEM',
])('an allocation that failed is told as such: %s', message => {
  expect(roomError(new Error(message))).toMatchObject({code: 'no-memory', message: expect.stringContaining(message)});
});

it('other errors stay what they are', () => {
  const errors = [new Error('The shapes do not match'), noMemory('as it is'), 'no error at all'];
  expect(errors.map(roomError)).toEqual(errors);
});

const text = `
model: ${root}demo/base
data: {train: ${root}demo/desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora]
learning_rate: [1e-3, 2e-3]
batch_size: 512
training: {steps: 8}
run: {workers: 2, engine: compiled, device: cpu}
`;

/** A run as a process of its own; `onStep` hears the process's id and the trial after each step. */
async function run(
  name: string,
  onStep: (pid: number, step: number, trial: string) => void,
): Promise<{status: number; events: RunEvent[]}> {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(file, text);
  const child = spawn(process.execPath, [join(root, 'trainer/cli.ts'), 'run', file, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const events: RunEvent[] = [];
  const ended = once(child, 'close');
  for await (const line of createInterface({input: child.stdout})) {
    const event = JSON.parse(line) as RunEvent;
    events.push(event);
    if (event.event === 'step') onStep(child.pid!, event.step, event.trials[0]!);
  }
  const [status] = (await ended) as [number];
  return {status, events};
}

/** `trial step` → the loss that counts: that of the last attempt. */
const losses = (events: RunEvent[]) =>
  new Map(
    events.flatMap(event =>
      event.event === 'step'
        ? event.trials.map((trial, i) => [`${trial} ${event.step}`, event.losses[i]!] as const)
        : [],
    ),
  );

const addressesOf = (pid: number): number =>
  1024 * Number(/^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

/** Less than a step of one trial takes in its whole form (200 MB), enough for JavaScript itself. */
const margin = 40e6;

/** Whether a process's limits can be set here. */
const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

it.runIf(canLimit)(
  'a run that is left no room goes on in a smaller form, says so in a line, and gives the same losses',
  async () => {
    // Both workers are up: one that starts without room for JavaScript itself ends the process, whatever the form.
    const underWay = new Set<string>();
    const narrow = await run('narrow', (pid, step, trial) => {
      if (underWay.size === 2 || step < 2) return;
      underWay.add(trial);
      if (underWay.size < 2) return;
      execFileSync('prlimit', ['--pid', String(pid), `--as=${addressesOf(pid) + margin}`]);
    });
    expect(narrow.status).toBe(0);
    const notes = narrow.events.flatMap(event => (event.event === 'note' ? [event.message] : []));
    expect(notes).toContain(
      'Memory ran out: from here on layers are computed again in the backward pass, and what was under way goes on so.',
    );
    const ends = narrow.events.filter(event => event.event === 'trial-ended');
    expect(ends.map(({state, steps}) => ({state, steps}))).toEqual(Array(2).fill({state: 'finished', steps: 8}));
    const continued = narrow.events.filter(event => event.event === 'trial-started' && event.from);
    expect(continued.length).toBeGreaterThanOrEqual(1);

    const whole = losses((await run('wide', () => {})).events);
    const found = losses(narrow.events);
    expect([...found.keys()].sort()).toEqual([...whole.keys()].sort());
    // Another order of the same sums in float32; a loss of about 6 is known to 5e-7, and eight steps carry it on.
    for (const [key, loss] of whole) expect(Math.abs(found.get(key)! - loss)).toBeLessThan(1e-4);
  },
);
