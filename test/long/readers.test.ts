import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {exportRun, runForms} from '../../trainer/results/out/export-run.ts';
import {rowKinds} from '../../trainer/results/rows.ts';
import {showRun} from '../../trainer/results/show.ts';
import {environment, output} from '../bench/peers/python.ts';
import {secondOf, stepLoss, writeSmallRun} from '../trainer/results/out/small-run.ts';

let home: string;
let run: string;
let interpreter: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-readers-'));
  run = join(home, 'run');
  writeSmallRun(run);
  for (const form of runForms) await exportRun(run, form);
  interpreter = await environment('readers', here('readers.txt'), 'about 500 MB');
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function read<T>(...question: string[]): Promise<T> {
  return JSON.parse(await output(interpreter, [here('readers.py'), ...question])) as T;
}

interface Table {
  types: Record<string, string>;
  rows: Record<string, unknown>[];
  csvIsAlike: boolean;
  polarsIsAlike: boolean;
}

it('pandas, pyarrow and polars read the same tables that show prints', async () => {
  const tables = await read<Record<string, Table>>('tables', join(run, 'export'));
  expect(Object.keys(tables).sort()).toEqual([...rowKinds].sort());
  for (const kind of rowKinds) {
    const {types, rows, csvIsAlike, polarsIsAlike} = tables[kind]!;
    const shown = JSON.parse([...(await showRun(run, kind, 'json')).lines].join('\n')) as Record<string, unknown>[];
    // The table of peaks has values of axes as texts.
    const asTyped = (name: string, cell: unknown) => (cell !== null && types[name] === 'double' ? Number(cell) : cell);
    expect(rows).toEqual(
      shown.map(row => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, asTyped(name, cell)]))),
    );
    expect({kind, csvIsAlike, polarsIsAlike}).toEqual({kind, csvIsAlike: true, polarsIsAlike: true});
  }
  expect(tables['steps']!.types).toMatchObject({trial: 'string', step: 'int64', loss: 'double', seed: 'int64'});
});

interface Board {
  runs: Record<string, {scalars: Record<string, [number, number, number | string][]>; hparams: string[]}>;
  experiment: {hparamInfos: {name: string; type: string}[]; metricInfos: {name: {tag: string}}[]};
  groups: {
    name: string;
    hparams: Record<string, string | number>;
    metricValues: {name: {tag: string}; value: number | string; trainingStep: number}[];
    sessions: {status: string; startTimeSecs: number; endTimeSecs: number}[];
  }[];
}

describe('TensorBoard', () => {
  let board: Board;
  beforeAll(async () => {
    board = await read<Board>('tensorboard', join(run, 'export', 'tensorboard'));
  });

  it('accumulates the curves and the results of each trial', () => {
    expect(Object.keys(board.runs).sort()).toEqual(['dora-wd0.1-s1', 'lora-wd0-s1', 'lora-wd0-s2']);
    const {scalars} = board.runs['lora-wd0-s1']!;
    expect(Object.keys(scalars).sort()).toEqual([
      'eval/gsm8k on a, "b".jsonl/accuracy',
      'eval/loss/loss',
      'train/grad_norm',
      'train/learning_rate',
      'train/loss',
    ]);
    expect(scalars['train/loss']).toEqual(
      [2, 3, 6, 7].map((place, k) => [secondOf(place), k + 1, Math.fround(stepLoss(0, k + 1))]),
    );
    expect(board.runs['dora-wd0.1-s1']!.scalars['train/loss']![1]![2]).toBe('nan');
  });

  it('lists settings, results and ends in the HParams tab', () => {
    const types = Object.fromEntries(board.experiment.hparamInfos.map(({name, type}) => [name, type]));
    expect(types).toMatchObject({method: 'DATA_TYPE_STRING', 'training.weight_decay': 'DATA_TYPE_FLOAT64'});
    expect(board.experiment.metricInfos.map(({name}) => name.tag)).toContain('eval/loss/loss');
    const group = (name: string) => board.groups.find(one => one.name === name)!;
    expect(group('lora-wd0-s1').hparams).toEqual({
      ...{method: 'lora', rank: 8, batch_size: 4, learning_rate: 1 / 3e4, seed: 1, alpha: 16},
      ...{'data.template': 'study', 'training.weight_decay': 0},
    });
    expect(group('lora-wd0-s1').sessions).toMatchObject([
      {status: 'STATUS_SUCCESS', startTimeSecs: secondOf(1), endTimeSecs: secondOf(10)},
    ]);
    const loss = group('lora-wd0-s1').metricValues.find(({name}) => name.tag === 'eval/loss/loss');
    expect(loss).toMatchObject({value: 1.5, trainingStep: 4});
    expect(group('dora-wd0.1-s1').sessions[0]?.status).toBe('STATUS_FAILURE');
  });
});
