import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {chooseEngine, type Wish} from '../../../trainer/engine/choose.ts';
import {engineOfRun} from '../../../trainer/run/known/engine-of-run.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import type {Manifest} from '../../../trainer/store/manifest.ts';
import {golden} from '../golden.ts';

let folder: string;
let run: string;
const wish: Wish = {
  engine: 'auto',
  device: 'cpu',
  precision: 'auto',
  stored: 'float32',
  matrices: [{in: 64, out: 64, count: 4}],
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  run = join(folder, 'run');
  writeFileSync(join(folder, 'rows.jsonl'), '{"input_ids": [1, 5, 6], "labels": [-100, 5, 6]}\n');
  writeFileSync(
    join(folder, 's.sweep.yaml'),
    `model: ${golden('models/llama')}
data: {train: rows.jsonl, format: tokens}
methods: [lora]
learning_rate: 1e-3
rank: 2
batch_size: 1
training: {steps: 1}
`,
  );
  const signal = new AbortController().signal;
  await runSweep(join(folder, 's.sweep.yaml'), {out: run, only: [], resume: false, signal, onEvent: () => {}});
});
afterAll(() => rmSync(folder, {recursive: true}));

/** The run as if it had been begun on another engine. */
function begunOn(engine: string): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  cpSync(run, copy, {recursive: true});
  const file = join(copy, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  for (const start of manifest.starts) start.engine = engine;
  writeFileSync(file, JSON.stringify(manifest));
  return copy;
}

it('a run that is not there yet has the engine that auto takes', async () => {
  expect(await engineOfRun(wish, join(folder, 'none'))).toEqual(await chooseEngine(wish));
});

it('a run goes on on the engine it was begun on, whatever is measured by then', async () => {
  const {engine, reason} = await engineOfRun(wish, begunOn('compiled'));
  expect(engine).toBe('compiled');
  expect(reason).not.toContain("this model's products");
});

it('where that engine is gone, the run goes on on what is there', async () => {
  const {engine} = await engineOfRun(wish, begunOn('tfjs-node-gpu'));
  expect(engine).toBe((await chooseEngine(wish)).engine);
});

it('what the sweep file asks for is taken, whatever the run was begun on', async () => {
  expect((await engineOfRun({...wish, engine: 'cpu'}, begunOn('tfjs-node'))).engine).toBe('cpu');
});
