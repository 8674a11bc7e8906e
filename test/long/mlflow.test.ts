/** A run is sent to a real MLflow server on loopback, and read back by MLflow's own client. */
import {type ChildProcess, spawn} from 'node:child_process';
import {appendFileSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {formatLine} from '../../core/run/line.ts';
import {exportToMlflow} from '../../trainer/results/out/mlflow.ts';
import {environment, output} from '../bench/peers/python.ts';
import {at, bodies, secondOf, stepLoss, stepRate, trials, writeSmallRun} from '../trainer/results/out/small-run.ts';

let home: string;
let run: string;
let interpreter: string;
let server: ChildProcess;
let uri: string;
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-mlflow-'));
  run = join(home, 'run');
  writeSmallRun(run);
  interpreter = await environment('mlflow', here('mlflow.txt'), 'about 400 MB');
  const port = await freePort();
  uri = `http://127.0.0.1:${port}`;
  const store = `sqlite:///${join(home, 'mlflow.db')}`;
  const options = ['--host', '127.0.0.1', '--port', String(port), '--backend-store-uri', store, '--workers', '1'];
  server = spawn(interpreter, ['-m', 'mlflow', 'server', ...options], {cwd: home, stdio: 'ignore', detached: true});
  // It is there when it answers; a server that ended never will.
  while (server.exitCode === null && !(await fetch(`${uri}/health`).catch(() => null))?.ok) await wait(200);
  expect(server.exitCode).toBeNull();
});
afterAll(() => {
  // Its workers are of its own group.
  if (server?.pid !== undefined) process.kill(-server.pid, 'SIGTERM');
  rmSync(home, {recursive: true, force: true});
});

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise(done => taken.once('listening', done));
  const address = taken.address();
  await new Promise(done => taken.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

type Known = Record<
  string,
  {
    status: string;
    start: number;
    end: number | null;
    params: Record<string, string>;
    metrics: Record<string, [step: number, value: number | 'NaN', at: number][]>;
  }
>;
const read = async (experiment = 'small'): Promise<Known> =>
  JSON.parse(await output(interpreter, [here('read-mlflow.py'), uri, experiment])) as Known;
const send = () => exportToMlflow(run, {uri, experiment: undefined});

it('every trial is a run with its settings, its curves at their steps and times, and its results', async () => {
  expect((await send()).sentence).toMatch(/experiment small at http.*: 3 trials new, 0 told more of, 0 as they were/);
  const known = await read();
  expect(Object.keys(known).sort()).toEqual(
    trials
      .slice(0, 3)
      .map(({id}) => id)
      .sort(),
  );
  const first = known[trials[0]!.id]!;
  expect(first.status).toBe('FINISHED');
  expect(first.params).toMatchObject({
    method: 'lora',
    rank: '8',
    alpha: '16',
    batch_size: '4',
    seed: '1',
    'training.weight_decay': '0',
  });
  expect(Number(first.params['learning_rate'])).toBe(1 / 3e4);
  const steps = [1, 2, 3, 4];
  expect(first.metrics['train/loss']!.map(([step, value]) => [step, value])).toEqual(
    steps.map(step => [step, stepLoss(0, step)]),
  );
  expect(first.metrics['train/learning_rate']!.map(([, value]) => value)).toEqual(steps.map(stepRate));
  expect(first.metrics['train/loss']![0]![2]).toBe(Math.trunc(secondOf(2) * 1000));
  const results = Object.entries(first.metrics).filter(([key]) => key.startsWith('eval/gsm8k'));
  expect(results).toHaveLength(1);
  expect(results[0]![1].map(([step, value]) => [step, value])).toEqual([
    [2, 0.25],
    [4, 0.5],
  ]);
  const diverged = known[trials[2]!.id]!;
  expect(diverged.status).toBe('FAILED');
  expect(diverged.metrics['train/loss']!.map(([, value]) => value)).toEqual([stepLoss(2, 1), 'NaN']);
});

it('a second export changes nothing, a later one adds what is new, a trial trained anew takes the place of what was there', async () => {
  const before = await read();
  expect((await send()).sentence).toMatch(/0 trials new, 0 told more of, 3 as they were/);
  expect(await read()).toEqual(before);
  const late = {
    event: 'evaluation',
    trial: trials[1]!.id,
    step: 4,
    task: 'loss',
    metric: 'loss',
    value: 2,
    correct: null,
    total: 1,
  } as const;
  appendFileSync(join(run, 'events.jsonl'), formatLine({...late, at: 1000 * secondOf(bodies.length)}));
  expect((await send()).sentence).toMatch(/0 trials new, 1 told more of, 2 as they were/);
  const after = await read();
  expect(after[trials[1]!.id]!.metrics['eval/loss/loss']).toHaveLength(1);
  expect(after[trials[0]!.id]).toEqual(before[trials[0]!.id]);
  const again = at(bodies).map((event, k) => (k >= 15 ? {...event, at: event.at + 5_000_000} : event));
  writeFileSync(join(run, 'events.jsonl'), again.map(formatLine).join(''));
  expect((await send()).sentence).toMatch(/[12] trials new/);
  const anew = await read();
  expect(Object.keys(anew)).toHaveLength(3);
  expect(anew[trials[2]!.id]!.start).toBeGreaterThan(before[trials[2]!.id]!.start);
});

it('says in a sentence what is no server, or does not answer', async () => {
  for (const wrong of ['sqlite:///x.db', 'mlruns', 'databricks'])
    await expect(exportToMlflow(run, {uri: wrong, experiment: undefined})).rejects.toMatchObject({code: 'usage'});
  await expect(exportToMlflow(run, {uri: 'http://127.0.0.1:9', experiment: undefined})).rejects.toThrow(
    /cannot be reached/,
  );
  await expect(exportToMlflow(run, {uri: `${uri}/nowhere`, experiment: undefined})).rejects.toMatchObject({
    code: 'mlflow',
  });
});
