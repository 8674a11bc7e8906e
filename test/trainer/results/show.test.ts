import {appendFileSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {formatLine} from '../../../core/run/line.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import type {RowKind} from '../../../trainer/results/rows.ts';
import {type Format, showRun} from '../../../trainer/results/show.ts';
import {writeSamples} from '../../../trainer/store/samples.ts';
import {toyEvents} from '../../core/run/toy-run.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

function write(events: RunEvent[]): void {
  writeFileSync(join(folder, 'events.jsonl'), events.map(formatLine).join(''));
}

async function show(kind: RowKind, format: Format): Promise<string[]> {
  return [...(await showRun(folder, kind, format)).lines];
}

const trial: Trial = {id: 't1', method: 'lora', rank: 8, alpha: 8, batchSize: 16, learningRate: 1 / 3e4, seed: 1};
const bodies: RunEventBody[] = [
  {
    event: 'run-started',
    name: 'x',
    trials: [trial, {...trial, id: 't2', seed: 2}],
    engine: 'cpu',
    reason: 'asked',
    workers: 1,
    resumed: false,
    steps: {'16': 10},
  },
  {event: 'trial-started', trial: 't1', steps: 10, worker: 0},
];
const step = (at: number, loss: number | null): RunEventBody => ({
  event: 'step',
  trials: ['t1'],
  step: at,
  losses: [loss],
  rates: [0.1 + 0.2],
  gradNorms: [loss],
});
const probe = (method: string, lambdaMax: number): RunEventBody => ({
  event: 'curvature',
  method,
  rank: 8,
  batchSize: 16,
  seed: 1,
  step: 0,
  layer: 2,
  module: 'q_proj',
  lambdaMax,
  lambdaMin: -1,
  iterations: 12,
  residual: 1e-4,
});
const at = (list: RunEventBody[]): RunEvent[] => list.map((body, k) => ({...body, at: 1000 * k}));

describe('show', () => {
  it('prints the columns that other programs rely on, first and in this order', async () => {
    write(toyEvents(100));
    const trialColumns = 'trial,method,rank,batch_size,learning_rate,seed';
    expect((await show('steps', 'csv'))[0]).toBe(`${trialColumns},step,loss,lr,grad_norm`);
    expect((await show('trials', 'csv'))[0]).toMatch(new RegExp(`^${trialColumns},state,steps,seconds(,|$)`));
    expect((await show('evaluations', 'csv'))[0]).toMatch(
      new RegExp(`^${trialColumns},step,task,metric,value,correct,total(,|$)`),
    );
    expect((await show('curvature', 'csv'))[0]).toBe(
      'method,rank,batch_size,seed,step,layer,module,lambda_max,lambda_min,iterations,residual,relative_to_lora,trial,learning_rate,preconditioned',
    );
  });

  it('has one row a step, trial and evaluation', async () => {
    write(toyEvents(100));
    expect(await show('steps', 'csv')).toHaveLength(1 + 160 * 3);
    expect(await show('trials', 'csv')).toHaveLength(1 + 160);
    expect(await show('evaluations', 'csv')).toHaveLength(1 + 320);
  });

  it('has one row for a step whose line stands in the file twice', async () => {
    write(at([...bodies, step(1, 2), step(2, 3), step(2, 3), step(3, 4)]));
    expect((await show('steps', 'csv')).map(row => row.split(',')[6])).toEqual(['step', '1', '2', '3']);
    const [header = '', row = ''] = await show('trials', 'csv');
    expect(row.split(',')[header.split(',').indexOf('steps')]).toBe('3');
  });

  it('keeps all digits of a number', async () => {
    write(at([...bodies, step(1, 2 / 3)]));
    const [, row] = await show('steps', 'csv');
    expect(row?.split(',').map(Number).slice(6)).toEqual([1, 2 / 3, 0.1 + 0.2, 2 / 3]);
    expect(Number(row?.split(',')[4])).toBe(1 / 3e4);
  });

  it('shows what was answered, a line each in a table and whole elsewhere, with the file that keeps it', async () => {
    write(bodies.map((body, at) => ({...body, at})));
    const place = {trial: 't1', step: 10, evaluation: 0};
    const sample = {row: 3, sample: 0, output: 'a\nb', expected: 'a', extracted: 'b', verdict: false};
    writeSamples(folder, place, [sample]);
    const file = join(folder, 'samples/t1-10-0.jsonl');
    expect(JSON.parse((await show('samples', 'json')).join(''))).toEqual([
      {...place, ...sample, verdict: 'false', reason: null, file},
    ]);
    const table = await show('samples', 'table');
    expect(table).toHaveLength(2);
    expect(table[1]).toContain('a⏎b');
  });

  it('shows a loss that was not finite as an empty cell, null in JSON', async () => {
    write(at([...bodies, step(1, null)]));
    expect((await show('steps', 'csv'))[1]).toMatch(/,1,,0\.3\d*,$/);
    expect(JSON.parse((await show('steps', 'json')).join('\n'))[0]).toMatchObject({step: 1, loss: null});
  });

  it('shows the steps of the last start of a trial only', async () => {
    write(at([...bodies, step(1, 9), step(2, 8), ...bodies, step(1, 7)]));
    expect(JSON.parse((await show('steps', 'json')).join('\n')).map((row: {loss: number}) => row.loss)).toEqual([7]);
  });

  it('joins what was trained before and after a checkpoint', async () => {
    const goesOn: RunEventBody = {event: 'trial-started', trial: 't1', steps: 10, worker: 0, from: 1};
    write(at([...bodies, step(1, 9), step(2, 8), bodies[0]!, goesOn, step(2, 7)]));
    expect(JSON.parse((await show('steps', 'json')).join('\n')).map((row: {loss: number}) => row.loss)).toEqual([9, 7]);
  });

  it('says how many numbers a trial trains, behind all else, and nothing where its models are several', async () => {
    const cost = {method: 'lora' as const, rank: 8, parameters: 4096, optimizerBytes: 1, relativeFlops: 1};
    const started = (own: Partial<Trial>): RunEvent[] =>
      at([
        {
          ...{event: 'run-started', name: 'x', trials: [{...trial, ...own}], engine: 'cpu', reason: 'asked'},
          ...{workers: 1, resumed: false, steps: {'16': 10}, costs: [{...cost, inferenceOverhead: 0}]},
        },
        bodies[1]!,
      ]);
    write(started({}));
    expect((await show('trials', 'csv')).map(line => line.split(',').at(-1))).toEqual(['parameters', '4096']);
    write(started({model: 'a'}));
    expect((await show('trials', 'csv'))[0]).not.toContain('parameters');
  });

  it('relates curvature to that of lora in the same block', async () => {
    write(at([bodies[0]!, probe('lora', 2), probe('pissa', 14), {...probe('dora', 3), layer: 5} as RunEventBody]));
    const rows = JSON.parse((await show('curvature', 'json')).join('\n'));
    expect(rows.map((row: {relative_to_lora: number | null}) => row.relative_to_lora)).toEqual([1, 7, null]);
  });

  it('quotes text with commas, quotes and line breaks', async () => {
    const message = 'a "b", c\nd';
    write(at([...bodies, {event: 'trial-ended', trial: 't1', state: 'failed', steps: 3, seconds: 1.5, message}]));
    expect((await show('trials', 'csv'))[1]).toBe(
      't1,lora,8,16,0.000033333333333333335,1,failed,3,1.5,8,,"a ""b"", c\nd",',
    );
  });

  it('aligns a table', async () => {
    write(at([...bodies, step(1, 2 / 3)]));
    const lines = await show('steps', 'table');
    expect(lines).toEqual([
      'trial  method  rank  batch_size  learning_rate  seed  step     loss   lr  grad_norm',
      't1     lora       8          16    0.000033333     1     1  0.66667  0.3    0.66667',
    ]);
  });

  it('gives an empty JSON list where there is nothing, and rows of a run that was cut off', async () => {
    write(at(bodies));
    expect(JSON.parse((await show('steps', 'json')).join('\n'))).toEqual([]);
    appendFileSync(join(folder, 'events.jsonl'), '{"event":"st');
    const {lines, remarks} = await showRun(folder, 'trials', 'json');
    expect(JSON.parse([...lines].join('\n')).map((row: {state: string}) => row.state)).toEqual(['stopped', 'waiting']);
    expect(remarks[0]).toContain('torn');
  });
});
