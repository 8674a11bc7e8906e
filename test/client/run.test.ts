import {spawn, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {Program} from '../../client/program.ts';
import {Run, type RunListener} from '../../client/run/run.ts';
import {until} from '../e2e/until.ts';

const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/', import.meta.url));

/** Whether a process can be put on a host of its own here. */
const canUnshare = spawnSync('unshare', ['--uts', '--mount', 'true']).status === 0;

let folder: string;
let file: string;
let runFolder: string;
let said: string[];
const runs: Run[] = [];
const listener: RunListener = {
  changed: () => {},
  finished: () => void said.push('finished'),
  died: () => void said.push('died'),
  interrupted: () => void said.push('interrupted'),
  failed: () => void said.push('failed'),
  refused: () => void said.push('refused'),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-client-'));
  cpSync(demo, folder, {recursive: true});
  file = join(folder, 'long.sweep.yaml');
  runFolder = join(folder, '.lora-sweep', 'long');
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora]
learning_rate: 1e-3
training: {steps: 20000}
`,
  );
  said = [];
});
afterEach(() => {
  for (const run of runs.splice(0)) run.dispose();
  rmSync(folder, {recursive: true, force: true});
});

const commands = () => new Program(program, join(folder, 'logs'));
const newRun = () => {
  const run = new Run(runFolder, file, listener);
  runs.push(run);
  return run;
};
const steps = (run: Run) => run.state.trials[0]?.steps ?? 0;

/** Starts the endless sweep and waits until it trains. */
async function started(): Promise<Run> {
  const run = newRun();
  run.follow(commands().startRun(['run', file, '--json'], file, runFolder));
  await until('its first steps', () => steps(run) > 5);
  return run;
}

describe('a run seen from the editor', () => {
  it('grows as it is followed, stops when it is told to, and goes on from there', async () => {
    const run = await started();
    expect(run.alive).toBe(true);
    run.stop();
    await until('its end', () => !run.alive);
    expect(run.state.state).toBe('stopped');
    const before = steps(run);

    run.follow(commands().startRun(['run', file, '--json', '--resume'], file, runFolder));
    await until('steps after those before', () => steps(run) > before + 5);
    expect(run.state.trials[0]?.from).toBe(before);
    run.stop();
    await until('its end', () => !run.alive);
    expect(said).toEqual([]);
  });

  it('is found again by another window, which can stop it', async () => {
    const run = await started();
    run.dispose();
    const again = newRun();
    await again.attach();
    expect(again.alive).toBe(true);
    const before = steps(again);
    await until('more steps', () => steps(again) > before);
    again.stop();
    await until('its end', () => !again.alive);
    expect(again.state.state).toBe('stopped');
    expect(said).toEqual([]);
  });

  it('that is killed is said to have died, by both windows, and stands still', async () => {
    const run = await started();
    const other = newRun();
    await other.attach();
    const {pid} = JSON.parse(readFileSync(join(runFolder, 'run.lock'), 'utf8')) as {pid: number};
    process.kill(pid, 'SIGKILL');
    await until('word of the end', () => said.length >= 2);
    expect(said).toEqual(['died', 'died']);
    expect([run.alive, other.alive]).toEqual([false, false]);
    expect(run.state.state).toBe('stopped');

    const third = newRun();
    await third.attach();
    expect(third.alive).toBe(false);
    expect(steps(third)).toBe(steps(run));
    expect(said).toEqual(['died', 'died', 'interrupted']);
  });

  it.runIf(canUnshare)(
    'of another host, whose processes and sockets are not seen here, is shown live, to its end',
    async () => {
      const sockets = join(folder, 'sockets');
      mkdirSync(sockets);
      // A host name and a folder for sockets of its own.
      const words = 'hostname elsewhere && mount -t tmpfs none "$TMPDIR" && exec "$@"';
      const child = spawn(
        'unshare',
        ['--uts', '--mount', 'sh', '-c', words, 'sh', process.execPath, program, 'run', file],
        {env: {...process.env, TMPDIR: sockets}, stdio: 'ignore'},
      );
      const run = newRun();
      const told = join(runFolder, 'events.jsonl');
      await until('its first events', () => existsSync(told) && readFileSync(told, 'utf8').includes('\n'));
      expect(JSON.parse(readFileSync(join(runFolder, 'run.lock'), 'utf8'))).toMatchObject({host: 'elsewhere'});
      await run.attach();
      expect([run.alive, run.state.state]).toEqual([true, 'running']);
      const before = steps(run);
      await until('more steps', () => steps(run) > before);
      run.stop();
      await until('its end', () => !run.alive);
      expect(run.state.state).toBe('stopped');
      await until('the end of the process', () => child.exitCode !== null);
      expect(said).toEqual([]);
    },
  );

  it('tells how far the reading of its rows is, before there is a run folder', async () => {
    const rows = readFileSync(join(demo, 'desc-train.jsonl'), 'utf8');
    writeFileSync(join(folder, 'desc-train.jsonl'), rows.repeat(Math.ceil(2e7 / rows.length)));
    const run = newRun();
    run.follow(commands().startRun(['run', file, '--json'], file, runFolder));
    await until('reading', () => run.state.preparing?.what === 'reading rows');
    expect(existsSync(runFolder)).toBe(false);
    run.stop();
    await until('its end', () => !run.alive);
    expect(run.state.preparing).toBeNull();
    expect(existsSync(runFolder)).toBe(false);
  });

  it('that comes to its end says so once', async () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace('steps: 20000', 'steps: 20'));
    const run = newRun();
    run.follow(commands().startRun(['run', file, '--json'], file, runFolder));
    await until('its end', () => !run.alive && said.length > 0);
    expect([run.state.state, ...said]).toEqual(['finished', 'finished']);
  });

  it('that is refused says why, and leaves no run folder', async () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace('model: base', 'model: ./nowhere'));
    const run = newRun();
    const own = commands();
    run.follow(own.startRun(['run', file, '--json'], file, runFolder));
    await until('word of the refusal', () => said.length > 0);
    expect(said).toEqual(['refused']);
    expect(own.lastWords(runFolder)).toContain('nowhere');
    expect(existsSync(runFolder)).toBe(false);
  });

  it('is one at a time: a second process on the folder is refused', async () => {
    const run = await started();
    const second = newRun();
    second.follow(commands().startRun(['run', file, '--json', '--resume'], file, runFolder));
    await until('word of the refusal', () => said.length > 0);
    expect(said).toEqual(['refused']);
    expect(commands().lastWords(runFolder)).toContain('in use');
    run.stop();
    await until('its end', () => !run.alive);
  });
});
