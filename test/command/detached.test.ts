/** Runs that outlive the terminal they were started from, seen and stopped from other processes. */
import {execFile, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Status} from '../../core/run/tasks/status.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'dist/trainer/cli.js');
const run = promisify(execFile);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-detached-'));
  cpSync(join(root, 'demo'), folder, {recursive: true});
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** A sweep of two trials that take as long as they have steps. */
function write(name: string, steps: number): {file: string; out: string} {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora]
rank: 4
batch_size: 8
learning_rate: [1e-3, 2e-3]
training: {steps: ${steps}}
`,
  );
  return {file, out: join(folder, '.lora-sweep', name)};
}

const command = async (...words: string[]) => (await run(process.execPath, [program, ...words], {cwd: folder})).stdout;
const refused = (...words: string[]) =>
  run(process.execPath, [program, ...words], {cwd: folder}).then(
    () => expect.fail('it was not refused'),
    (error: {code: number; stderr: string}) => error,
  );
const statusOf = async (out: string): Promise<Status> => JSON.parse(await command('status', out, '--json'));

/** Waits until the run is seen so. */
async function seen(out: string, is: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const status = await statusOf(out);
    if (is(status)) return status;
    if (status.state !== 'running') throw new Error(`The run is ${JSON.stringify(status)}.`);
    await sleep(200);
  }
}

describe('a run that was detached', () => {
  it('goes on after its starter has ended, can be followed to its end, and is like any other', async () => {
    const {file, out} = write('whole', 60);
    const said = await command('run', file, '--detach');
    expect(said).toContain(`The run goes on in ${out} (process `);
    expect(said).toContain(`lora-sweep attach ${out}`);
    const followed = await command('attach', out);
    // Which of the two is through first is chance.
    expect(followed).toMatch(/\[2\/2\] lora-r4-b8-lr[12]\.00e-3-s1 finished/);
    expect(followed).toContain('2 of 2 trials finished');
    expect(await statusOf(out)).toMatchObject({state: 'finished', name: 'whole', trials: {finished: 2}, eta_s: null});
    expect(existsSync(join(out, 'run.lock'))).toBe(false);
    expect(await command('run', file, '--detach', '--resume')).toMatch(
      /^whole is finished: 2 of 2 trials finished\.|goes on in/,
    );
  });

  it('is stopped with a checkpoint by whoever sees its folder, and goes on from there', async () => {
    const {file, out} = write('stopped', 4000);
    const {pid} = JSON.parse(await command('run', file, '--detach', '--json'));
    expect(pid).toBeGreaterThan(1);
    await seen(out, ({trials}) => trials.running !== undefined);
    expect(await command('cancel', out)).toContain('The run has stopped');
    const {state, trials} = await statusOf(out);
    expect(state).toBe('stopped');
    expect(trials.running).toBeUndefined();
    expect(existsSync(join(out, 'stop'))).toBe(false);
    expect(await command('cancel', out)).toBe(`Nothing runs in ${out}.\n`);
    await command('run', file, '--detach', '--resume');
    await seen(out, status => status.trials.running !== undefined);
    expect(readFileSync(join(out, 'events.jsonl'), 'utf8')).toMatch(/"event":"trial-started".*"from":[1-9]/);
    await command('cancel', out);
  });

  it('says what keeps it from beginning, with the status of `run`', async () => {
    const {file, out} = write('whole', 60);
    const again = await refused('run', file, '--detach');
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/already holds a run with 2 of 2 trials finished.*--resume/);
    expect(await refused('status', folder)).toMatchObject({code: 1, stderr: expect.stringContaining('holds no run')});
    expect(existsSync(join(out, 'run.lock'))).toBe(false);
  });

  const otherHost = (...words: string[]) =>
    spawnSync('unshare', [
      '--uts',
      'sh',
      '-c',
      'hostname elsewhere && exec "$@"',
      'sh',
      process.execPath,
      program,
      ...words,
    ]);
  const canUnshare = spawnSync('unshare', ['--uts', 'sh', '-c', 'hostname elsewhere']).status === 0;
  it(
    canUnshare
      ? 'is alive for another machine that sees its folder, which can stop it'
      : 'seen from another machine: NOT TESTED, no namespaces here',
    async () => {
      if (!canUnshare) return;
      const {file, out} = write('elsewhere', 4000);
      await command('run', file, '--detach');
      expect(JSON.parse(String(otherHost('status', out, '--json').stdout)).state).toBe('running');
      expect(String(otherHost('cancel', out).stdout)).toContain('The run has stopped');
      expect((await statusOf(out)).state).toBe('stopped');
    },
  );
});
