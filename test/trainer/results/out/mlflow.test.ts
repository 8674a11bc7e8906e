/** The words that are exchanged with MLflow, against a server that keeps runs as it does; `test/long/mlflow.test.ts` asks a real one. */
import {appendFileSync, mkdtempSync, rmSync} from 'node:fs';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {formatLine} from '../../../../core/run/line.ts';
import {exportToMlflow} from '../../../../trainer/results/out/mlflow.ts';
import {bodies, secondOf, stepLoss, trials, writeSmallRun} from './small-run.ts';

interface Kept {
  run_id: string;
  name: string;
  status: string;
  isDeleted: boolean;
  tags: Record<string, string>;
  params: Record<string, string>;
  metrics: {key: string; value: number | 'NaN'; step: number}[];
}

type Call = Record<string, never> & {[key: string]: unknown};

let home: string;
let run: string;
let uri: string;
let server: Server;
let runs: Kept[];
let heard: {path: string; authorization: string | undefined}[];
/** Statuses that the next calls get instead of an answer. */
let faults: number[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'mlflow-'));
  run = join(home, 'run');
  writeSmallRun(run);
  [runs, heard, faults] = [[], [], []];
  server = createServer(async (request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://mlflow');
    const body = await text(request);
    heard.push({path: pathname, authorization: request.headers.authorization});
    const fault = faults.shift();
    const [status, value] = fault
      ? [fault, {message: `told to say ${fault}`}]
      : answer(pathname.replace('/api/2.0/mlflow/', ''), JSON.parse(body || '{}') as Call);
    response.writeHead(status, {'content-type': 'application/json'});
    response.end(JSON.stringify(value));
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.close();
  rmSync(home, {recursive: true, force: true});
});

const shown = ({run_id, tags}: Kept) => ({
  info: {run_id},
  data: {tags: Object.entries(tags).map(([key, value]) => ({key, value}))},
});
const pairs = (list: unknown): [string, string][] =>
  ((list ?? []) as {key: string; value: string}[]).map(({key, value}) => [key, value]);

function answer(path: string, call: Call): [number, object] {
  const own = runs.find(one => one.run_id === call['run_id']);
  switch (path) {
    case 'experiments/get-by-name':
      return runs.length > 0
        ? [200, {experiment: {experiment_id: '7', lifecycle_stage: 'active'}}]
        : [404, {message: 'not there'}];
    case 'experiments/create':
      return [200, {experiment_id: '7'}];
    case 'runs/search':
      return [200, {runs: runs.filter(({isDeleted}) => !isDeleted).map(shown)}];
    case 'runs/create': {
      const made: Kept = {
        run_id: `r${runs.length}`,
        name: String(call['run_name']),
        status: 'RUNNING',
        isDeleted: false,
        tags: Object.fromEntries(pairs(call['tags'])),
        params: {},
        metrics: [],
      };
      runs.push(made);
      return [200, {run: shown(made)}];
    }
    case 'runs/log-batch':
      Object.assign(own!.tags, Object.fromEntries(pairs(call['tags'])));
      Object.assign(own!.params, Object.fromEntries(pairs(call['params'])));
      own!.metrics.push(...((call['metrics'] ?? []) as Kept['metrics']));
      return [200, {}];
    case 'runs/update':
      own!.status = String(call['status']);
      return [200, {}];
    default:
      own!.isDeleted = true;
      return [200, {}];
  }
}

const send = () => exportToMlflow(run, {uri, experiment: undefined});
const kept = (id: string) => runs.find(({name, isDeleted}) => name === id && !isDeleted)!;

it('a trial is told once, and later only what is new', async () => {
  expect((await send()).sentence).toContain('3 trials new, 0 told more of, 0 as they were');
  const first = kept(trials[0]!.id);
  expect(first.params).toMatchObject({method: 'lora', rank: '8', seed: '1'});
  expect(first.metrics.filter(({key}) => key === 'train/loss').map(({value}) => value)).toEqual(
    [1, 2, 3, 4].map(step => stepLoss(0, step)),
  );
  expect(first.metrics.filter(({key}) => key.startsWith('eval/gsm8k')).map(({step, value}) => [step, value])).toEqual([
    [2, 0.25],
    [4, 0.5],
  ]);
  expect(kept(trials[2]!.id)).toMatchObject({status: 'FAILED'});
  expect(kept(trials[2]!.id).metrics.some(({value}) => value === 'NaN')).toBe(true);
  const before = structuredClone(runs);
  expect((await send()).sentence).toContain('0 trials new, 0 told more of, 3 as they were');
  expect(runs).toEqual(before);
  const late = {
    event: 'evaluation',
    trial: trials[1]!.id,
    step: 1,
    task: 'loss',
    metric: 'loss',
    value: 2,
    correct: null,
    total: 1,
  } as const;
  appendFileSync(join(run, 'events.jsonl'), formatLine({...late, at: 1000 * secondOf(bodies.length)}));
  expect((await send()).sentence).toContain('0 trials new, 1 told more of, 2 as they were');
  expect(kept(trials[1]!.id).metrics.filter(({key}) => key.startsWith('eval/'))).toHaveLength(1);
});

it('an export that broke off goes on where it was', async () => {
  // The experiment is found out, made, searched; the first run is made and told its settings; then the server is gone for good.
  faults = [0, 0, 0, 0, 0, 500];
  await expect(send()).rejects.toThrow(/refused runs\/log-batch: told to say 500/);
  await send();
  expect(runs.filter(({isDeleted}) => !isDeleted)).toHaveLength(3);
  expect(kept(trials[0]!.id).metrics.filter(({key}) => key === 'train/loss')).toHaveLength(4);
});

it('a busy server is asked again; another refusal is said in its words', async () => {
  faults = [503];
  expect((await send()).sentence).toContain('3 trials new');
  faults = [403];
  await expect(send()).rejects.toThrow(/told to say 403; set MLFLOW_TRACKING_TOKEN/);
});

it('secrets are sent to this machine or encrypted, and nowhere else', async () => {
  vi.stubEnv('MLFLOW_TRACKING_USERNAME', 'me');
  vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'secret');
  await send();
  expect(
    heard.every(({authorization}) => authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`),
  ).toBe(true);
  await expect(exportToMlflow(run, {uri: 'http://mlflow.example', experiment: undefined})).rejects.toThrow(
    /unencrypted/,
  );
  vi.stubEnv('MLFLOW_TRACKING_URI', '');
  await expect(exportToMlflow(run, {uri: undefined, experiment: undefined})).rejects.toMatchObject({code: 'usage'});
  for (const wrong of ['sqlite:///x.db', 'mlruns', 'databricks'])
    await expect(exportToMlflow(run, {uri: wrong, experiment: undefined})).rejects.toMatchObject({code: 'usage'});
});
