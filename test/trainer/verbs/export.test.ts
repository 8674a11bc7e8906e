import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {writeSmallRun} from '../results/out/small-run.ts';

const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'export-verb-'));
  writeSmallRun(join(home, 'run'));
});
afterAll(() => rmSync(home, {recursive: true, force: true}));

function command(...words: string[]): {status: number | null; stdout: string; stderr: string} {
  const {status, stdout, stderr} = spawnSync(process.execPath, [program, 'export', ...words], {
    cwd: home,
    encoding: 'utf8',
  });
  return {status, stdout, stderr};
}

it('says in one line what was written', () => {
  expect(command('run', '--to', 'parquet', '--out', 'tables')).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^Written to \S+tables: peaks \(2\), .* as parquet\.\n$/),
    stderr: '',
  });
  expect(readdirSync(join(home, 'tables'))).toContain('steps.parquet');
});

it.each([
  [['run', 'lora-wd0-s1', '--to', 'csv'], 'leave lora-wd0-s1 out'],
  [['run', '--best', '--to', 'tensorboard'], 'leave --best out'],
  [['run', '--model', 'm', '--to', 'parquet'], 'leave --model out'],
  [['run', 'lora-wd0-s1', '--to', 'adapter'], 'a new or empty folder with --out'],
  [['run', '--to', 'merged', '--out', 'm'], 'a trial id, or --best'],
  [['run', '--to', 'sheet'], 'csv, parquet, tensorboard'],
])('%j is wrong usage, and writes nothing', (words, reason) => {
  const before = readdirSync(home, {recursive: true});
  const {status, stderr} = command(...words);
  expect({status, stderr}).toEqual({status: 2, stderr: expect.stringContaining(reason)});
  expect(readdirSync(home, {recursive: true})).toEqual(before);
});

it('has nothing to write of a folder without a run', () => {
  const {status, stderr} = command('.', '--to', 'csv');
  expect({status, stderr}).toEqual({status: 1, stderr: expect.stringContaining('holds no run')});
});
