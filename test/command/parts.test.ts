/** Parts of one run as processes of their own, on any machine that sees its folder. */
import {appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, describe, expect, it} from 'vitest';
import type {RunEvent} from '../../core/run/events.ts';
import {formatLine, readLine} from '../../core/run/line.ts';
import type {Status} from '../../core/run/tasks/status.ts';
import {commandIn, outcomeOf, type Started} from './outcome.ts';

const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-parts-'));
cpSync(join(import.meta.dirname, '../../demo'), folder, {recursive: true});
afterAll(() => rmSync(folder, {recursive: true, force: true}));
const {start, output} = commandIn(folder);
const run = (...words: string[]) => start(['run', ...words]).ended;

interface Settings {
  methods?: string;
  rates?: string;
  steps?: number;
  more?: string;
}

function write(
  name: string,
  {methods = '[lora, pissa]', rates = '[1e-3, 3e-3]', steps = 10, more = ''}: Settings = {},
): string {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: ${methods}
rank: 4
batch_size: 8
learning_rate: ${rates}
seeds: [1, 2]
training: {steps: ${steps}}
run: {workers: 2}
${more}
`,
  );
  return file;
}

const statusOf = (out: string): Status => JSON.parse(output('status', out, '--json'));
const linesOf = (file: string): RunEvent[] =>
  (existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n').flatMap(line => readLine(line).event ?? []);
const attempt = (out: string, name: string) => join(out, 'events', `${name}.jsonl`);

/** Waits for an event in a file; whatever the machine takes for it. */
async function seen(file: string, is: (event: RunEvent) => boolean, {child}: Started): Promise<void> {
  while (!linesOf(file).some(is)) {
    if (child.exitCode !== null) throw new Error(`It has ended with ${child.exitCode} before.`);
    await sleep(50);
  }
}

const outcome = (out: string) => outcomeOf(out, output);

describe('a sweep in three parts side by side', () => {
  it('of fewer cells than parts gives what one process gives, byte for byte, merged or not', async () => {
    const more = `evaluate: {task: loss, data: desc-test.jsonl, limit: 8, every: 4}
curvature: {samples: 8, batch_size: 4, max_iterations: 6, at: [start, end], full: true, blocks: {layers: [0], modules: [q_proj]}}`;
    const file = write('grid', {more});
    const [whole, out] = [join(folder, 'grid-one'), join(folder, 'grid-three')];
    expect((await run(file, '--out', whole)).code).toBe(0);
    const parts = ['1/3', '2/3', '3/3'].map(shard => run(file, '--shard', shard, '--out', out));
    expect((await Promise.all(parts)).map(({code}) => code)).toEqual([0, 0, 0]);
    const expected = await outcome(whole);
    expect(await outcome(out)).toEqual(expected);
    const {state, tasks, trials} = statusOf(out);
    expect({state, trials}).toEqual({state: 'finished', trials: {finished: 8}});
    expect(tasks.map(({task, trials: own, steps, total}) => [task, own, steps, total])).toEqual([
      ['t0001', 2, 20, 20],
      ['t0002', 2, 20, 20],
      ['t0003', 4, 40, 40],
    ]);
    output('merge', out);
    output('merge', out);
    expect(await outcome(out)).toEqual(expected);
    rmSync(join(out, 'events'), {recursive: true});
    expect(await outcome(out)).toEqual(expected);
    expect(output('verify', out)).toContain('The record holds');
  });

  it('as a search trains the same trials, and whoever is last asks what the words on methods need', async () => {
    const more = `evaluate: {task: loss, data: desc-test.jsonl, limit: 16}
search: halving
verdict: {margin: 1%, seeds: 4}`;
    const file = write('search', {
      methods: '[lora, pissa, milora]',
      rates: '[1e-4, 1e-3, 3e-3, 1e-2]',
      steps: 26,
      more,
    });
    const [whole, out] = [join(folder, 'search-one'), join(folder, 'search-three')];
    expect((await run(file, '--out', whole)).code).toBe(0);
    const parts = ['1/3', '2/3', '3/3'].map(shard => run(file, '--shard', shard, '--out', out));
    expect((await Promise.all(parts)).map(({code}) => code)).toEqual([0, 0, 0]);
    // Some seeds came from comparing the methods.
    expect(readFileSync(join(whole, 'events.jsonl'), 'utf8')).toContain('"event":"trials-added"');
    expect(await outcome(out)).toEqual(await outcome(whole));
    const before = await outcome(out);
    const again = await run(file, '--shard', '2/3', '--out', out);
    expect(again).toMatchObject({code: 0, said: expect.stringContaining('Nothing is left to do of t0002')});
    // More seeds of a finished run: the same trials and the same confidence of the words, whoever trained it.
    const [one, other] = [
      await run(file, '--out', whole, '--resume', '--more-seeds', 'pissa=1', '--more-seeds', 'milora=1'),
      await run(file, '--out', out, '--resume', '--more-seeds', 'pissa=1', '--more-seeds', 'milora=1'),
    ];
    expect([one.code, other.code], other.said).toEqual([0, 0]);
    const outcomeNow = await outcome(out);
    expect(outcomeNow).toEqual(await outcome(whole));
    expect(outcomeNow).not.toEqual(before);
    const wishes = ['t0001', 't0002', 't0003'].flatMap(task =>
      [1, 2, 3, 4].flatMap(number => linesOf(attempt(out, `${task}.a${number}`))),
    );
    expect(wishes.filter(event => event.event === 'trials-added' && event.asked)).toHaveLength(1);
    output('merge', out);
    rmSync(join(out, 'events'), {recursive: true});
    const gone = await run(file, '--out', out, '--resume', '--more-seeds', 'pissa=1');
    expect(gone).toMatchObject({code: 1, said: expect.stringContaining('put the files of its attempts back')});
    expect(await outcome(out)).toEqual(outcomeNow);
  });
});

describe('a part that does not come to its end', () => {
  it('killed at once is gone on with by the same command, and nothing is lost or made twice', async () => {
    const file = write('killed', {methods: '[lora]', steps: 40});
    const [whole, out] = [join(folder, 'killed-one'), join(folder, 'killed-parts')];
    expect((await run(file, '--out', whole)).code).toBe(0);
    const first = start(['run', file, '--shard', '1/1', '--out', out]);
    await seen(attempt(out, 't0001.a1'), ({event}) => event === 'trial-ended', first);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    expect(statusOf(out)).toMatchObject({state: 'stopped', tasks: [{task: 't0001', state: 'stopped', attempt: 1}]});
    expect((await run(file, '--shard', '1/1', '--out', out)).code).toBe(0);
    expect(statusOf(out)).toMatchObject({state: 'finished', tasks: [{state: 'finished', attempt: 2}]});
    expect(await outcome(out)).toEqual(await outcome(whole));
    const ends = ['t0001.a1', 't0001.a2'].flatMap(name =>
      linesOf(attempt(out, name)).filter(({event}) => event === 'trial-ended'),
    );
    expect(ends).toHaveLength(4);
  });

  it.each(['SIGTERM', 'SIGUSR1', 'SIGHUP'] as const)(
    'by %s keeps a checkpoint, ends with 75, and goes on from there',
    async signal => {
      const name = `stopped-${signal}`;
      const file = write(name, {methods: '[lora]', rates: '[1e-3]', steps: 3000});
      const out = join(folder, name);
      const first = start(['run', file, '--shard', '1/1', '--out', out]);
      await seen(attempt(out, 't0001.a1'), one => one.event === 'step' && one.step > 2, first);
      first.child.kill(signal);
      const {code, said} = await first.ended;
      expect([code, said.includes('Debugger')]).toEqual([75, false]);
      expect(said).toContain(`\`lora-sweep run ${file} --shard 1/1 --out ${out}\` goes on.`);
      expect(linesOf(attempt(out, 't0001.a1')).at(-1)).toMatchObject({event: 'task-ended', state: 'stopped'});
      const second = start(['run', '--task', '1', out]);
      await seen(attempt(out, 't0001.a2'), one => one.event === 'trial-started' && (one.from ?? 0) > 2, second);
      // Other tasks are none of its business.
      writeFileSync(join(out, 'stop'), 't0002\n');
      await sleep(1200);
      expect(second.child.exitCode).toBeNull();
      output('cancel', out, '--tasks', 't0001');
      expect((await second.ended).code).toBe(75);
      // A wish counts for who was there.
      const third = start(['run', '--task', 'auto', out], {
        SLURM_ARRAY_TASK_ID: '0',
        SLURM_ARRAY_TASK_MIN: '0',
        SLURM_ARRAY_TASK_COUNT: '1',
      });
      await seen(attempt(out, 't0001.a3'), ({event}) => event === 'step', third);
      third.child.kill('SIGINT');
      expect((await third.ended).code).toBe(75);
    },
  );

  it('because a later attempt has its task ends with 75, and harms nothing of it', async () => {
    const file = write('zombie', {methods: '[lora]', rates: '[1e-3]', steps: 3000});
    const out = join(folder, 'zombie');
    const first = start(['run', file, '--shard', '1/1', '--out', out]);
    await seen(attempt(out, 't0001.a1'), ({event}) => event === 'step', first);
    const [begun] = linesOf(attempt(out, 't0001.a1'));
    // As another machine would begin, to which the first one looks dead.
    appendFileSync(attempt(out, 't0001.a2'), formatLine({...begun!, attempt: 2, host: 'elsewhere'} as RunEvent));
    expect(await first.ended).toMatchObject({
      code: 75,
      said: expect.stringContaining('A later attempt has taken over t0001'),
    });
    const own = linesOf(attempt(out, 't0001.a1'));
    expect(own.at(-1)).toMatchObject({event: 'task-ended', state: 'superseded'});
    expect(own.some(({event}) => event === 'trial-ended')).toBe(false);
    expect(existsSync(join(out, 'checkpoints', 'lora-r4-b8-lr1.00e-3-s1.safetensors'))).toBe(false);
    expect(statusOf(out).tasks[0]).toMatchObject({attempt: 2, host: 'elsewhere'});
  });
});

describe('what a part refuses', () => {
  it('in one sentence: no such part, no index, another sweep, another kind of run', async () => {
    const file = write('refused', {methods: '[lora]'});
    const out = join(folder, 'refused');
    const said = async (...words: string[]) => {
      const {code, said: text} = await run(...words);
      return `${code} ${text.trim().split('\n').at(-1)}`;
    };
    expect(await said(file, '--shard', '4/3', '--out', out)).toMatch(/^2 .*--shard 4\/3/);
    expect(await said(file, '--shard', 'auto', '--out', out)).toMatch(/^2 .*no-index/);
    expect(existsSync(out)).toBe(false);
    expect((await run(file, '--shard', '3/3', '--out', out)).code).toBe(0);
    expect(await said('--task', 'auto', out)).toMatch(/^2 .*no-index/);
    expect(await said('--task', 't0009', out)).toMatch(/^2 .*t0001 to t0003/);
    expect(await said(file, '--out', out, '--resume')).toMatch(/^1 .*run of several tasks/);
    expect(await said(file, '--out', out, '--resume', '--more-seeds', '1')).toMatch(/^1 .*finished, and tasks of this/);
    expect(await said(file, '--out', out, '--shard', '1/3', '--more-seeds', '1')).toMatch(/^2 .*with --shard 1\/1/);
    const other = readFileSync(file, 'utf8');
    writeFileSync(file, other.replace('seeds: [1, 2]', 'seeds: [1, 3]'));
    expect(await said(file, '--shard', '1/3', '--out', out)).toMatch(/^1 .*no longer has lora-.*-s2/);
    writeFileSync(file, other.replace('steps: 10', 'steps: 11'));
    expect(await said(file, '--shard', '1/3', '--out', out)).toMatch(/^1 .*training.length changed/);
    writeFileSync(file, other.replace('run: {', 'run: {engine: cpu, '));
    expect((await run(file, '--shard', '1/3', '--out', out)).code, 'how it is computed is the plan’s').toBe(0);
  });
});
