import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema} from 'hyparquet';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {formatLine} from '../../../../core/run/line.ts';
import {importResults} from '../../../../trainer/results/import.ts';
import {exportRun} from '../../../../trainer/results/out/export-run.ts';
import {runFolderNames} from '../../../../trainer/results/out/folder-names.ts';
import {rowKinds} from '../../../../trainer/results/rows.ts';
import {showRun} from '../../../../trainer/results/show.ts';
import {lock} from '../../../../trainer/store/lock.ts';
import {checksum, type ReadEvent, readEventFile} from './read-events.ts';
import {at, bodies, secondOf, stepLoss, stepRate, trials, writeSmallRun} from './small-run.ts';

let home: string;
let run: string;
let out: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'export-run-'));
  run = join(home, 'run');
  out = join(home, 'out');
  writeSmallRun(run);
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

/** The rows that `show` gives a program. */
async function shown(kind: (typeof rowKinds)[number]): Promise<Record<string, unknown>[]> {
  return JSON.parse([...(await showRun(run, kind, 'json')).lines].join('\n')) as Record<string, unknown>[];
}

async function parquet(kind: string): Promise<{rows: Record<string, unknown>[]; types: Record<string, string>}> {
  const file = await asyncBufferFromFile(join(out, `${kind}.parquet`));
  const schema = parquetSchema(await parquetMetadataAsync(file));
  const types = schema.children.map(({element}) => [element.name, element.converted_type ?? element.type] as const);
  return {rows: await parquetReadObjects({file}), types: Object.fromEntries(types) as Record<string, string>};
}

function events(name: string): ReadEvent[] {
  const [file = '', ...others] = readdirSync(join(out, name));
  expect(others).toEqual([]);
  expect(file).toMatch(/^events\.out\.tfevents\.\d{10}\./);
  return readEventFile(join(out, name, file));
}

/** What of a tag an event file has: step, value and second. */
const series = (read: ReadEvent[], tag: string): [number, number, number][] =>
  read.flatMap(({step, scalars, wallTime}): [number, number, number][] =>
    scalars[tag] === undefined ? [] : [[step, scalars[tag], wallTime]],
  );

describe('export to csv', () => {
  it('writes a file for each table, as show prints it', async () => {
    const {sentence} = await exportRun(run, 'csv', out);
    expect(sentence).toBe(
      `Written to ${out}: peaks (2), steps (7), trials (4), evaluations (4), curvature (1) and samples (2) as csv.`,
    );
    expect(readdirSync(out).filter(name => !name.startsWith('.'))).toEqual(rowKinds.map(kind => `${kind}.csv`).sort());
    for (const kind of rowKinds) {
      const lines = [...(await showRun(run, kind, 'csv')).lines];
      expect(readFileSync(join(out, `${kind}.csv`), 'utf8')).toBe(`${lines.join('\n')}\n`);
    }
  });
});

describe('export to parquet', () => {
  it('has the rows of show, with whole numbers, numbers and texts', async () => {
    await exportRun(run, 'parquet', out);
    for (const kind of rowKinds) {
      const {rows, types} = await parquet(kind);
      const expected = (await shown(kind)).map(row =>
        Object.fromEntries(
          Object.entries(row).map(([name, cell]) => {
            if (cell === null) return [name, cell];
            if (types[name] === 'INT64') return [name, BigInt(cell as number)];
            // The table of peaks has values of axes as texts.
            return [name, types[name] === 'DOUBLE' ? Number(cell) : cell];
          }),
        ),
      );
      expect(expected.length).toBeGreaterThan(0);
      expect(rows).toEqual(expected);
    }
    expect((await parquet('steps')).types).toEqual({
      ...{trial: 'UTF8', method: 'UTF8', rank: 'INT64', batch_size: 'INT64', learning_rate: 'DOUBLE', seed: 'INT64'},
      ...{step: 'INT64', loss: 'DOUBLE', lr: 'DOUBLE', grad_norm: 'DOUBLE'},
      ...{'data.template': 'UTF8', 'training.weight_decay': 'DOUBLE'},
    });
    expect((await parquet('peaks')).types).toMatchObject({'training.weight_decay': 'DOUBLE', more_seeds: 'INT64'});
  });

  it('has the types of an empty table as well', async () => {
    writeFileSync(join(run, 'events.jsonl'), at(bodies.slice(0, 1)).map(formatLine).join(''));
    await exportRun(run, 'parquet', out);
    const {rows, types} = await parquet('evaluations');
    expect(rows).toEqual([]);
    expect(types).toMatchObject({task: 'UTF8', value: 'DOUBLE', total: 'INT64'});
  });

  it('refuses a whole number that is none, and leaves nothing behind', async () => {
    const [started, ...others] = bodies;
    const odd = {...started, trials: trials.map(trial => ({...trial, rank: 0.5}))} as (typeof bodies)[number];
    writeFileSync(
      join(run, 'events.jsonl'),
      at([odd, ...others])
        .map(formatLine)
        .join(''),
    );
    await expect(exportRun(run, 'parquet', out)).rejects.toThrow('rank 0.5, which is no whole number');
    expect(readdirSync(home)).toEqual(['run']);
  });
});

describe('export to tensorboard', () => {
  it('checks sums by the published value', () => {
    // RFC 3720, B.4: 32 bytes of zeros.
    expect(checksum(new Uint8Array(32))).toBe(0x8a9136aa);
  });

  it('has a folder for each trial that was begun, with its curves and results at their times', async () => {
    const {sentence} = await exportRun(run, 'tensorboard', out);
    expect(sentence).toBe(`Written to ${out}: 3 trials for TensorBoard.`);
    expect(readdirSync(out).filter(name => !name.startsWith('.'))).toEqual([
      'dora-wd0.1-s1',
      'lora-wd0-s1',
      'lora-wd0-s2',
    ]);
    const read = events('lora-wd0-s1');
    expect(read[0]).toEqual({wallTime: secondOf(1), step: 0, version: 'brain.Event:2', scalars: {}});
    const places = [2, 3, 6, 7];
    const curve = (value: (step: number) => number) =>
      places.map((place, k) => [k + 1, Math.fround(value(k + 1)), secondOf(place)]);
    expect(series(read, 'train/loss')).toEqual(curve(step => stepLoss(0, step)));
    expect(series(read, 'train/grad_norm')).toEqual(curve(() => 1 / 7));
    expect(series(read, 'train/learning_rate')).toEqual(curve(stepRate));
    expect(series(read, 'eval/gsm8k on a, "b".jsonl/accuracy')).toEqual([
      [2, 0.25, secondOf(4)],
      [4, 0.5, secondOf(8)],
    ]);
    expect(series(read, 'eval/loss/loss').map(([, value]) => value)).toEqual([1.25, 1.5]);
    const steps = read.map(({step}) => step).slice(0, -1);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('tells HParams of the settings, and how a trial ended', async () => {
    await exportRun(run, 'tensorboard', out);
    const sessions = (name: string) => events(name).flatMap(({session}) => session ?? []);
    expect(sessions('lora-wd0-s1')).toEqual([
      {
        hparams: {
          ...{method: 'lora', rank: 8, batch_size: 4, learning_rate: 1 / 3e4, seed: 1, alpha: 16},
          ...{'data.template': 'study', 'training.weight_decay': 0},
        },
        group: 'lora-wd0-s1',
        start: secondOf(1),
      },
      {status: 1, end: secondOf(10)},
    ]);
    const [start, end] = sessions('dora-wd0.1-s1');
    expect(start).toMatchObject({hparams: {method: 'dora', seed: 4_294_967_295, 'training.weight_decay': 0.1}});
    expect(end).toMatchObject({status: 2});
  });

  it('has a loss that was not finite as NaN', async () => {
    await exportRun(run, 'tensorboard', out);
    expect(series(events('dora-wd0.1-s1'), 'train/loss').map(([, loss]) => loss)).toEqual([
      Math.fround(stepLoss(2, 1)),
      Number.NaN,
    ]);
  });

  it('leaves the session of a trial under way open, and says so far', async () => {
    writeFileSync(join(run, 'events.jsonl'), at(bodies.slice(0, 4)).map(formatLine).join(''));
    const held = lock(join(run, 'run.lock'), undefined);
    try {
      const {sentence} = await exportRun(run, 'tensorboard', out);
      expect(sentence).toMatch(/1 trial for TensorBoard, so far: the run is under way\.$/);
    } finally {
      held.release();
    }
    const read = events('lora-wd0-s1');
    expect(series(read, 'train/loss')).toHaveLength(2);
    expect(read.flatMap(({session}) => session ?? [])).toHaveLength(1);
  });

  it('joins what was trained before and after a checkpoint, from its first start', async () => {
    const begun = {...bodies[1], from: 1} as (typeof bodies)[number];
    const list = [...bodies.slice(0, 4), begun, ...bodies.slice(3, 4)];
    writeFileSync(join(run, 'events.jsonl'), at(list).map(formatLine).join(''));
    await exportRun(run, 'tensorboard', out);
    const read = events('lora-wd0-s1');
    expect(series(read, 'train/loss').map(([step, , second]) => [step, second])).toEqual([
      [1, secondOf(2)],
      [2, secondOf(5)],
    ]);
    expect(read[0]!.wallTime).toBeLessThanOrEqual(secondOf(2));
  });

  it('reads a run of tasks from the files of its attempts', async () => {
    const [started, ...others] = bodies;
    const tasks = [{task: 't0001', cell: 'a', trials: trials.map(({id}) => id)}];
    const plan = {...started, tasks} as (typeof bodies)[number];
    const begun = {event: 'task-started', task: 't0001', attempt: 1, host: 'n', engine: 'cpu', workers: 1} as const;
    rmSync(join(run, 'events.jsonl'));
    mkdirSync(join(run, 'events'));
    writeFileSync(join(run, 'events.jsonl'), at([plan]).map(formatLine).join(''));
    const lines = at([{...begun, selected: trials.map(({id}) => id)}, ...others]).map(formatLine);
    writeFileSync(join(run, 'events', 't0001.a1.jsonl'), lines.join(''));
    await exportRun(run, 'tensorboard', out);
    expect(series(events('lora-wd0-s1'), 'train/loss')).toHaveLength(4);
    expect(series(events('lora-wd0-s1'), 'eval/loss/loss')).toHaveLength(2);
  });

  it('gives published results, and says what belongs to no trial', async () => {
    const imported = join(home, 'paper');
    importResults(fileURLToPath(new URL('../../../fixtures/paper-results.json', import.meta.url)), {out: imported});
    const {sentence, remarks} = await exportRun(imported, 'tensorboard', out);
    expect(sentence).toContain('195 trials');
    expect(remarks).toEqual([expect.stringMatching(/^180 means over seeds belong to no trial/)]);
    const [[step, value] = []] = series(events('Qwen3-0.6B-Base-dora-r128-b64-lr1.12e-3-s1'), 'eval/math/gsm8k_acc');
    expect([step, value]).toEqual([0, 60.5]);
  });

  it('names folders alike on every system, no two the same', () => {
    const [plain, slash, dash, upper, dots] = runFolderNames(['a-b', 'a/b', 'a:b', 'A-B', '..']);
    expect(plain).toBe('a-b');
    for (const name of [slash, dash]) expect(name).toMatch(/^a-b-[0-9a-f]{8}$/);
    expect(upper).toMatch(/^A-B-[0-9a-f]{8}$/);
    expect(dots).toMatch(/^sweep/);
    expect(new Set([plain, slash, dash, upper, dots]).size).toBe(5);
  });
});

describe('the folder of an export', () => {
  it('is in the run folder unless it is said otherwise, and replaced by the next export', async () => {
    const place = join(run, 'export', 'csv');
    await exportRun(run, 'csv');
    const before = readFileSync(join(place, 'steps.csv'), 'utf8');
    appendFileSync(
      join(run, 'events.jsonl'),
      at(bodies.slice(12, 13)).map(formatLine).join('').replace('"step":1', '"step":2'),
    );
    expect((await exportRun(run, 'csv')).sentence).toContain(`Written to ${place}: peaks (2), steps (8)`);
    expect(readFileSync(join(place, 'steps.csv'), 'utf8').length).toBeGreaterThan(before.length);
    expect(readdirSync(join(run, 'export'))).toEqual(['csv']);
  });

  it('is refused where it holds anything else, which stays as it is', async () => {
    await exportRun(run, 'tensorboard', out);
    const own = join(out, 'lora-wd0-s1', 'notes.txt');
    writeFileSync(own, 'mine');
    await expect(exportRun(run, 'tensorboard', out)).rejects.toThrow(
      `${out} holds lora-wd0-s1/notes.txt, which no such export wrote; choose a new or empty folder with --out.`,
    );
    expect(readFileSync(own, 'utf8')).toBe('mine');
    await expect(exportRun(run, 'csv', run)).rejects.toMatchObject({code: 'folder-in-use'});
    expect(existsSync(join(run, 'events.jsonl'))).toBe(true);
    expect(readdirSync(home).sort()).toEqual(['out', 'run']);
  });

  it('is refused where another form stands', async () => {
    await exportRun(run, 'csv', out);
    await expect(exportRun(run, 'parquet', out)).rejects.toThrow('holds an export to csv');
    expect(existsSync(join(out, 'steps.csv'))).toBe(true);
  });

  it('may be one that is empty', async () => {
    mkdirSync(out);
    await exportRun(run, 'parquet', out);
    expect(readdirSync(out)).toHaveLength(7);
  });
});
