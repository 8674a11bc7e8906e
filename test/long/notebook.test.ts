/** The notebook of a run, executed by real pandas and matplotlib. */
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {notebookCells} from '../../core/run/notebook.ts';
import {importResults} from '../../trainer/results/import.ts';
import {exportRun} from '../../trainer/results/out/export-run.ts';
import {environment} from '../bench/peers/python.ts';
import {stepLoss, trials, writeSmallRun} from '../trainer/results/out/small-run.ts';

let home: string;
let interpreter: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'long-notebook-'));
  interpreter = await environment('notebook', here('notebook.txt'), 'about 200 MB');
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

interface Executed {
  shown: {kind: string; rows: number}[];
  figures: number;
  lines: number;
  peaks: string[];
  losses: Record<string, number[]>;
}

async function executed(run: string): Promise<Executed> {
  await exportRun(run, 'csv');
  const cells = notebookCells('a "run"', join(run, 'export', 'csv')).filter(({kind}) => kind === 'code');
  const child = spawn(interpreter, [here('run-notebook.py')], {stdio: ['pipe', 'pipe', 'inherit']});
  child.stdin.end(JSON.stringify(cells.map(({text: code}) => code)));
  return JSON.parse(await text(child.stdout)) as Executed;
}

it('shows peaks, means over seeds and curves of a run of our own', async () => {
  const run = join(home, 'a "run" ü');
  writeSmallRun(run);
  const {shown, figures, peaks, losses} = await executed(run);
  expect(shown.slice(0, 2).map(({kind}) => kind)).toEqual(['DataFrame', 'DataFrame']);
  expect(figures).toBeGreaterThan(1);
  expect(peaks).toContain('lora');
  expect(losses[trials[0]!.id]).toEqual([1, 2, 3, 4].map(step => stepLoss(0, step)));
});

it('shows published results, which have no curves', async () => {
  const run = join(home, 'paper');
  importResults(fileURLToPath(new URL('../fixtures/paper-results.json', import.meta.url)), {out: run});
  const {shown, lines, peaks, losses} = await executed(run);
  // 5 methods at 13 rates, by three metrics.
  expect(shown[1]).toEqual({kind: 'DataFrame', rows: 195});
  expect(lines).toBe(15);
  expect(new Set(peaks).size).toBe(5);
  expect(losses).toEqual({});
});
