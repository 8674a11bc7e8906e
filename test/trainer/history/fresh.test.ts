import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, expect, it, vi} from 'vitest';
import type {RunRow} from '../../../core/run/history/row.ts';
import {runsAt} from '../../../trainer/results/history.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000, hookTimeout: 900_000});
const root = fileURLToPath(new URL('../../../', import.meta.url));
const home = testFolder();
const runs = join(home, '.lora-sweep');
const file = join(home, 'small.sweep.yaml');
const text = (steps: number) => `model: ${root}demo/base
data: {train: ${root}demo/desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32, max_length: 21}
methods: {lora: {}}
targets: [q_proj]
rank: 4
alpha: 4
batch_size: 8
learning_rate: [1.0e-2]
training: {steps: ${steps}}
evaluate: {task: loss, data: ${root}demo/desc-test.jsonl, limit: 8}
run: {workers: 1, engine: compiled}
`;

function command(...words: string[]): {status: number | null; out: string; errors: string} {
  const {status, stdout, stderr} = spawnSync(process.execPath, [join(root, 'dist/trainer/cli.js'), ...words], {
    ...{cwd: home, encoding: 'utf8', env: process.env, maxBuffer: 1 << 26},
  });
  return {status, out: stdout, errors: stderr};
}

const listed = (place: string): Promise<RunRow[]> => runsAt(place);

/** Every file below a folder, with what is in it and when it was written. */
function contents(folder: string): string[] {
  return readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .sort()
    .flatMap(name => {
      const path = join(folder, name);
      const found = statSync(path);
      if (!found.isFile()) return [];
      return `${name} ${found.mtimeMs} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    });
}

beforeAll(() => {
  writeFileSync(file, text(3));
  const {status, errors} = command('run', file);
  expect(status, errors).toBe(0);
});

it('a run from scratch keeps the earlier one byte for byte under its date, and trains everything again', async () => {
  const before = contents(join(runs, 'small'));
  writeFileSync(file, text(4));
  const refused = command('run', file, '--resume');
  expect(refused.status).toBe(1);
  expect(refused.errors).toContain('or begin anew with --fresh, which keeps this run under its date');
  const {status, out, errors} = command('run', file, '--fresh', '--json');
  expect(status, errors).toBe(0);
  const kept = readdirSync(runs).filter(name => name.startsWith('small@'));
  expect(kept).toHaveLength(1);
  expect(contents(join(runs, kept[0]!)), 'the earlier run').toEqual(before);
  const events = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(events.filter(({event}) => event === 'step')).toHaveLength(4);
  const notes = events.filter(({event}) => event === 'note').map(({message}) => message);
  expect(notes).toContain(`The earlier run of this folder is kept in ${kept[0]}, beside it.`);

  // The same once more, with nothing changed: what the runs beside it have finished is not taken from them.
  const again = command('run', file, '--fresh', '--json')
    .out.trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(again.filter(({event}) => event === 'step')).toHaveLength(4);
  expect(again.some(({taken}) => taken !== undefined)).toBe(false);
  expect(readdirSync(runs).filter(name => name.startsWith('small@'))).toHaveLength(2);
});

it('lists the present run and the earlier ones, by a file, a folder or a run, and writes nothing', async () => {
  const before = contents(runs);
  const rows = await listed(file);
  expect(JSON.parse(command('runs', file, '--json').out)).toEqual(rows);
  expect(rows.map(({earlier, state, trials, done}) => [earlier, state, trials, done])).toEqual([
    [false, 'finished', 1, 1],
    [true, 'finished', 1, 1],
    [true, 'finished', 1, 1],
  ]);
  expect(rows[1]!.startedAt).toBeGreaterThan(rows[2]!.startedAt!);
  expect(rows[0]!.answer).toMatch(/^lora [\d.]+ at 1e-2/i);
  expect(rows[0]!.sweepFile && readFileSync(join(rows[0]!.folder, rows[0]!.sweepFile), 'utf8')).toBe(text(4));
  expect(rows[2]!.sweepFile && readFileSync(join(rows[2]!.folder, rows[2]!.sweepFile), 'utf8')).toBe(text(3));
  for (const place of [home, runs, rows[1]!.folder]) expect(await listed(place)).toEqual(rows);
  expect(contents(runs)).toEqual(before);
});

it('a name, a note and tags stand in the run folder and in the list; what is archived is left out until all are asked for', async () => {
  const folder = (await listed(file))[2]!.folder;
  expect(
    command('label', folder, '--name', 'three steps', '--note', 'too few\nby far', '--tag', 'short', '--tag', 'b')
      .status,
  ).toBe(0);
  expect(command('label', folder, '--untag', 'b', '--archive').status).toBe(0);
  expect((await listed(file)).find(row => row.folder === folder)).toMatchObject({
    ...{name: 'three steps', note: 'too few\nby far', tags: ['short'], archived: true},
  });
  const table = command('runs', file).out;
  expect(table).not.toContain('three steps');
  expect(table).toContain('1 archived; --all lists them, too.');
  expect(command('runs', file, '--all').out).toMatch(/finished, archived +1\/1 +three steps · #short · too few…/);
  const refused = command('label', folder, '--tag', 'a,b');
  expect(refused.status).toBe(2);
  expect(refused.errors).toContain('Nothing was changed: a tag is one line');
  const before = contents(folder);
  expect(command('label', folder).out).toContain('name: three steps');
  expect(contents(folder), 'looking changes nothing').toEqual(before);
});

it('refuses what cannot be meant together, and folders without a run, in a sentence', async () => {
  for (const words of [['--resume'], ['--rerun', '--only', 'method=lora'], ['--only', 'state=failed']]) {
    const {status, errors} = command('run', file, '--fresh', ...words);
    expect([status, errors.split('\n').length], errors).toEqual([2, 2]);
    expect(errors).toContain('--fresh and --');
  }
  const foreign = join(home, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'diary.txt'), 'mine');
  expect(command('label', foreign, '--name', 'x').errors).toContain('holds no run');
  expect(command('runs', foreign).errors).toContain('there are no runs');
  expect(readdirSync(foreign)).toEqual(['diary.txt']);
});

it('a run at work is not moved away under its process', async () => {
  const folder = join(runs, 'small');
  const {pid} = process;
  // As a process of another machine that gives signs of life writes it.
  writeFileSync(join(folder, 'run.lock'), JSON.stringify({pid, host: 'elsewhere', process: null}));
  const before = readdirSync(runs);
  const {status, errors} = command('run', file, '--fresh');
  expect(status).toBe(1);
  expect(errors).toContain(`lora-sweep cancel ${folder}`);
  expect(readdirSync(runs)).toEqual(before);
  rmSync(join(folder, 'run.lock'));
});

it('a run of which nothing can be read is listed with the reason, and so is what somebody said of one', async () => {
  const [, kept] = await listed(file);
  writeFileSync(join(kept!.folder, 'about.json'), '{"name": "half');
  const row = (await listed(file)).find(({folder}) => folder === kept!.folder);
  expect(row).toMatchObject({state: 'finished', name: ''});
  expect(row?.message).toContain('about.json does not hold the name, note and tags of a run');
  rmSync(join(kept!.folder, 'about.json'));
  writeFileSync(join(kept!.folder, 'manifest.json'), '{}');
  expect(await listed(file)).toHaveLength(3);
  expect((await listed(file)).find(({folder}) => folder === kept!.folder)).toMatchObject({
    ...{state: 'unreadable', message: expect.stringContaining('is not a manifest of a run')},
  });
});

it('a name given through a link is written beside it, not through it', async () => {
  const [present] = await listed(file);
  const elsewhere = join(home, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify({name: 'a', note: '', tags: [], archived: false}));
  symlinkSync(elsewhere, join(present!.folder, 'about.json'));
  expect(command('label', present!.folder, '--name', 'b').status).toBe(0);
  expect(JSON.parse(readFileSync(elsewhere, 'utf8')).name).toBe('a');
  expect(existsSync(join(runs, basename(present!.folder), 'about.json'))).toBe(true);
});
