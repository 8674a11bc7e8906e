import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {SweepError} from '../../../core/error.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import type {Sweep, Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {sweepTemporaries, temporaryOf} from '../../../trainer/files/temporary.ts';
import {systemMark} from '../../../trainer/process/processes.ts';
import type {Surroundings} from '../../../trainer/store/manifest.ts';
import {type OpenRun, openRun, readRun, runFolderOf} from '../../../trainer/store/run.ts';
import {until} from '../../e2e/until.ts';

const text = `name: s
model: base
data: {train: rows.jsonl, format: text}
methods: [lora, pissa]
learning_rate: [1e-3, 2e-3]
`;
const ingredients: Surroundings = {
  versions: {'lora-sweep': '0.1.0'},
  engine: 'cpu',
  modelHash: 'aaaa',
  model: {folder: 'base', revision: null, files: {'config.json': 'cccc'}},
  dataHashes: {'rows.jsonl': 'bbbb'},
};

let home: string;
let folder: string;
let sweepFile: string;
let opened: OpenRun[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  sweepFile = join(home, 's.sweep.yaml');
  folder = runFolderOf(sweepFile, 's');
  opened = [];
});
afterEach(() => {
  for (const run of opened) run.close();
  rmSync(home, {recursive: true, force: true});
});

describe('a folder with links in it', () => {
  it.each(['checkpoints', 'adapters', 'samples', 'models', 'events.jsonl', 'manifest.json', 'adapters/t'])(
    '%s: it is refused before anything is written or deleted where it leads',
    async name => {
      const elsewhere = join(home, 'elsewhere');
      mkdirSync(elsewhere);
      const kept = join(elsewhere, temporaryOf('a'));
      writeFileSync(kept, 'mine');
      mkdirSync(join(folder, 'adapters'), {recursive: true});
      writeFileSync(join(folder, 'run.lock'), '');
      utimesSync(join(folder, 'run.lock'), 0, 0);
      rmSync(join(folder, name), {recursive: true, force: true});
      symlinkSync(name.includes('.') ? kept : elsewhere, join(folder, name));
      const asked = openRun({folder, sweepFile, resume: true});
      await expect(asked).rejects.toMatchObject({
        code: 'foreign-folder',
        message: expect.stringContaining('is a link'),
      });
      expect(readdirSync(elsewhere)).toHaveLength(1);
      expect(readFileSync(kept, 'utf8')).toBe('mine');
    },
  );
});

function sweepOf(written: string): {sweep: Sweep; trials: Trial[]} {
  writeFileSync(sweepFile, written);
  const {sweep, problems} = readSweep(written, 's.sweep.yaml');
  if (!sweep) throw new Error(problems.map(problem => problem.message).join('\n'));
  return {sweep, trials: expandTrials(sweep)};
}

async function open(resume = false): Promise<OpenRun> {
  const run = await openRun({folder, sweepFile, resume});
  opened.push(run);
  return run;
}

function started(trials: Trial[], resumed = false): RunEventBody {
  const steps = {'16': 10};
  return {event: 'run-started', name: 's', trials, engine: 'cpu', reason: 'asked', workers: 1, resumed, steps};
}

/** A run whose first trial is finished. */
async function firstRun(): Promise<Trial[]> {
  const {sweep, trials} = sweepOf(text);
  const run = await open();
  run.begin(sweep, trials, ingredients);
  run.append(started(trials));
  const trial = trials[0]!.id;
  run.append({event: 'trial-started', trial, steps: 10, worker: 0});
  run.append({event: 'step', trials: [trial], step: 1, losses: [2.5], rates: [0.001], gradNorms: [1]});
  run.append({event: 'trial-ended', trial, state: 'finished', steps: 10, seconds: 1});
  close(run);
  return trials;
}

function close(run: OpenRun): void {
  run.close();
  opened.splice(opened.indexOf(run), 1);
}

async function codeOf(work: () => unknown): Promise<[string, string]> {
  try {
    await work();
  } catch (error) {
    if (error instanceof SweepError) return [error.code, error.message];
    throw error;
  }
  return ['no error', ''];
}

const events = () => join(folder, 'events.jsonl');
const manifest = () => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));

describe('a run folder', () => {
  it('lies beside the sweep file under its name, unless told otherwise', () => {
    expect(runFolderOf('/a/b/x.sweep.yaml', 'x')).toBe(join('/a/b', '.lora-sweep', 'x'));
    expect(runFolderOf('/a/b/x.sweep.yaml', 'x', '/c')).toBe('/c');
    expect(runFolderOf('/a/b/x.sweep.yaml', '../../etc')).toBe(join('/a/b', '.lora-sweep', '--..-etc'));
  });

  it('holds events, manifest and the sweep file as it was run, and no lock afterwards', async () => {
    await firstRun();
    expect(readdirSync(folder).sort()).toEqual(['events.jsonl', 'manifest.json', 's.sweep.yaml']);
    expect(readFileSync(join(folder, 's.sweep.yaml'), 'utf8')).toBe(text);
    expect(manifest()).toMatchObject({
      engine: 'cpu',
      versions: {'lora-sweep': '0.1.0'},
      model: {path: 'base', hash: 'aaaa'},
      data: [{path: 'rows.jsonl', hash: 'bbbb'}],
      machine: {platform: process.platform},
      starts: [{sweepFile: 's.sweep.yaml'}],
    });
  });

  it('has every event in the file soon after it was appended, and at once at the end of a trial', async () => {
    const {sweep, trials} = sweepOf(text);
    const run = await open();
    run.begin(sweep, trials, ingredients);
    run.append(started(trials));
    run.append({event: 'note', message: 'later'});
    expect(readFileSync(events(), 'utf8')).not.toContain('later');
    await until('the event in the file', () => readFileSync(events(), 'utf8').includes('later'));
    run.append({event: 'note', message: 'soon'});
    run.append({event: 'trial-ended', trial: trials[0]!.id, state: 'finished', steps: 1, seconds: 1});
    expect(readFileSync(events(), 'utf8')).toMatch(/soon.*\n.*trial-ended.*\n$/);
  });

  it('gives the stored event back as it is in the file', async () => {
    const {sweep, trials} = sweepOf(text);
    const run = await open();
    run.begin(sweep, trials, ingredients);
    const stored = run.append({event: 'note', message: 'zwölf'});
    run.flush();
    expect(JSON.parse(readFileSync(events(), 'utf8'))).toEqual(stored);
  });

  it('can be read while it is written', async () => {
    const {sweep, trials} = sweepOf(text);
    const run = await open();
    run.begin(sweep, trials, ingredients);
    run.append(started(trials));
    run.append({event: 'trial-started', trial: trials[0]!.id, steps: 10, worker: 0});
    run.flush();
    const {state, live} = await readRun(folder);
    expect(live).toBe(true);
    expect(state.trials[0]?.state).toBe('running');
  });

  it('without a run is a clear error', async () => {
    expect(await codeOf(() => readRun(home))).toEqual(['no-run', expect.stringContaining('events.jsonl')]);
  });
});

describe('starting again', () => {
  it('without --resume refuses and touches nothing', async () => {
    await firstRun();
    const before = readFileSync(events());
    const [code, message] = await codeOf(() => open());
    expect(code).toBe('run-exists');
    expect(message).toContain('1 of 4 trials finished');
    expect(message).toContain('--resume');
    expect(readFileSync(events())).toEqual(before);
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
  });

  it('is free where the first start came to nothing', async () => {
    const {sweep, trials} = sweepOf(text);
    const run = await open();
    run.begin(sweep, trials, ingredients);
    run.append(started(trials));
    close(run);
    const again = await open();
    again.begin(sweep, trials, {...ingredients, modelHash: 'other'});
    expect(manifest().model.hash).toBe('other');
  });

  it('with --resume knows what is finished and appends', async () => {
    const trials = await firstRun();
    const before = readFileSync(events(), 'utf8');
    const run = await open(true);
    expect(run.earlier.trials.map(view => view.state)).toEqual(['finished', 'waiting', 'waiting', 'waiting']);
    run.begin(sweepOf(text).sweep, trials, ingredients);
    run.append(started(trials, true));
    run.flush();
    expect(readFileSync(events(), 'utf8').startsWith(before)).toBe(true);
    expect(manifest().starts).toHaveLength(2);
  });

  it('may add methods, rates and seeds; the earlier sweep file stays', async () => {
    await firstRun();
    const more = text.replace('[lora, pissa]', '[lora, pissa, dora]').replace('[1e-3, 2e-3]', '[1e-3, 2e-3, 4e-3]');
    const {sweep, trials} = sweepOf(more);
    const run = await open(true);
    run.begin(sweep, trials, ingredients);
    expect(readFileSync(join(folder, 's.sweep.yaml'), 'utf8')).toBe(text);
    expect(readFileSync(join(folder, 's-2.sweep.yaml'), 'utf8')).toBe(more);
    expect(manifest().starts.map((start: {sweepFile: string}) => start.sweepFile)).toEqual([
      's.sweep.yaml',
      's-2.sweep.yaml',
    ]);
  });

  it.each([
    ['training.max_grad_norm', `${text}training: {max_grad_norm: 0.5}\n`, ingredients],
    ['training.length', `${text}training: {steps: 7}\n`, ingredients],
    ['data.max_length', text.replace('format: text', 'format: text, max_length: 17'), ingredients],
    ['targets', `${text}targets: [q_proj]\n`, ingredients],
    ['alpha', `${text}alpha: 3\n`, ingredients],
    ['methods.pissa', text.replace('[lora, pissa]', '{lora: {}, pissa: {iterations: 4}}'), ingredients],
    ['model', text, {...ingredients, modelHash: 'cccc'}],
    ['data.train', text, {...ingredients, dataHashes: {'rows.jsonl': 'cccc'}}],
    ['training.precision', text, {...ingredients, precision: 'bfloat16' as const}],
  ])('is refused when %s changed, and nothing is touched', async (key, changed, other) => {
    await firstRun();
    const {sweep, trials} = sweepOf(changed);
    const before = readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]);
    const run = await open(true);
    const [code, message] = await codeOf(() => run.begin(sweep, trials, other));
    close(run);
    expect(code).toBe('not-comparable');
    expect(message).toContain(key);
    expect(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')])).toEqual(before);
  });

  it.each([
    ['workers', `${text}run: {workers: 1, engine: cpu}\n`, {...ingredients, engine: 'compiled'}],
    ['micro-batches', `${text}training: {micro_batch: 1}\n`, ingredients],
    ['evaluations, one of which is new', `${text}evaluate: [{task: loss, data: rows.jsonl}]\n`, ingredients],
    [
      'a data file moved as it is',
      text.replace('rows.jsonl', 'moved.jsonl'),
      {...ingredients, dataHashes: {'moved.jsonl': 'bbbb'}},
    ],
  ])('is fine with another choice of %s', async (_, changed, other) => {
    await firstRun();
    const {sweep, trials} = sweepOf(changed);
    const run = await open(true);
    expect(await codeOf(() => run.begin(sweep, trials, other))).toEqual(['no error', '']);
  });

  it("is refused in a folder with somebody's files", async () => {
    mkdirSync(folder, {recursive: true});
    writeFileSync(join(folder, 'thesis.tex'), 'x');
    expect((await codeOf(() => open()))[0]).toBe('foreign-folder');
    expect(readdirSync(folder)).toEqual(['thesis.tex']);
  });
});

describe('what a crash leaves', () => {
  it('a torn last line costs that line only, is reported, and is cut off before more is written', async () => {
    const trials = await firstRun();
    const whole = readFileSync(events(), 'utf8');
    truncateSync(events(), whole.length - 20);
    const {state, remarks} = await readRun(folder);
    expect(remarks).toEqual([expect.stringContaining('torn')]);
    // The end of the trial is what was torn; no process holds the folder, so the trial stands still.
    expect(state.trials[0]).toMatchObject({state: 'stopped', steps: 1});
    const run = await open(true);
    expect(run.notes).toEqual(remarks);
    run.begin(sweepOf(text).sweep, trials, ingredients);
    run.append({event: 'note', message: 'on'});
    run.flush();
    const lines = readFileSync(events(), 'utf8').trimEnd().split('\n');
    expect(lines.map(line => JSON.parse(line).event)).toEqual(['run-started', 'trial-started', 'step', 'note']);
  });

  it('a last line that lacks its newline only is kept', async () => {
    const trials = await firstRun();
    truncateSync(events(), readFileSync(events()).length - 1);
    expect((await readRun(folder)).state.trials[0]?.state).toBe('finished');
    const run = await open(true);
    run.begin(sweepOf(text).sweep, trials, ingredients);
    run.append({event: 'note', message: 'on'});
    run.flush();
    expect(readFileSync(events(), 'utf8').trimEnd().split('\n')).toHaveLength(5);
  });

  it('a line of garbage in the middle costs that line only; events of a later version are passed over', async () => {
    await firstRun();
    const lines = readFileSync(events(), 'utf8').trimEnd().split('\n');
    lines.splice(2, 1, '{"event":"st\u0000ep', '{"event":"teleported","at":1}');
    writeFileSync(events(), `${lines.join('\n')}\n`);
    const {state, remarks, garbage} = await readRun(folder);
    expect(garbage).toBe(1);
    expect(state.trials[0]).toMatchObject({state: 'finished', loss: null});
    expect(remarks).toEqual([expect.stringContaining('Line 3 of'), expect.stringContaining('1 of the events')]);
  });

  it('lines longer than a block of the reader are put together', async () => {
    await firstRun();
    appendFileSync(events(), `${JSON.stringify({event: 'note', at: 1, message: 'ü'.repeat(1_500_000)})}\n`);
    const {state, garbage} = await readRun(folder);
    expect(garbage).toBe(0);
    expect(state.notes[0]).toBe('ü'.repeat(1_500_000));
  });
});

describe('the lock', () => {
  it('keeps a second run out while the first one lives', async () => {
    sweepOf(text);
    await open();
    const [code, message] = await codeOf(() => open(true));
    expect(code).toBe('run-locked');
    expect(message).toContain(String(process.pid));
  });

  it('of a process that is gone is taken over', async () => {
    sweepOf(text);
    mkdirSync(folder, {recursive: true});
    const {pid} = spawnSync(process.execPath, ['--version']);
    writeFileSync(
      join(folder, 'run.lock'),
      JSON.stringify({pid, host: 'of-another-name', process: `${systemMark()} ${pid} 1`}),
    );
    const run = await open();
    expect(JSON.parse(readFileSync(join(folder, 'run.lock'), 'utf8')).pid).toBe(process.pid);
    close(run);
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
  });

  it('is not fooled by a process number used again', async () => {
    // Only Linux says when a process started.
    if (process.platform !== 'linux') return;
    sweepOf(text);
    mkdirSync(folder, {recursive: true});
    const stale = {pid: process.pid, host: hostname(), process: `${systemMark()} ${process.pid} 1`};
    writeFileSync(join(folder, 'run.lock'), JSON.stringify(stale));
    expect((await codeOf(() => open()))[0]).toBe('no error');
  });

  it.runIf(process.platform === 'linux')(
    'of a process that has ended but was not collected is taken over',
    async () => {
      sweepOf(text);
      mkdirSync(folder, {recursive: true});
      // The shell starts a child and becomes a program that does not ask how it ended.
      const parent = spawn('sh', ['-c', 'sleep 2 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [said] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(String(said));
      const fields = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      await expect.poll(() => fields()[0]).toBe('Z');
      writeFileSync(
        join(folder, 'run.lock'),
        JSON.stringify({pid, host: hostname(), process: `${systemMark()} ${pid} ${fields()[19]}`}),
      );
      expect((await codeOf(() => open()))[0]).toBe('no error');
      parent.kill('SIGKILL');
    },
  );

  it('of another machine holds as long as it gives signs of life', async () => {
    sweepOf(text);
    mkdirSync(folder, {recursive: true});
    const file = join(folder, 'run.lock');
    writeFileSync(file, JSON.stringify({pid: 1, host: 'elsewhere', process: null}));
    const written = (secondsAgo: number) => utimesSync(file, Date.now() / 1000, Date.now() / 1000 - secondsAgo);
    written(50);
    expect(await codeOf(() => open())).toEqual(['run-locked', expect.stringContaining('free 60 s after')]);
    expect(readdirSync(folder)).toEqual(['run.lock']);
    written(70);
    expect((await codeOf(() => open()))[0]).toBe('no error');
    expect(JSON.parse(readFileSync(file, 'utf8')).host).toBe(hostname());
  });

  it('of another machine of the same host name is told by its beat, too', async () => {
    sweepOf(text);
    mkdirSync(folder, {recursive: true});
    const file = join(folder, 'run.lock');
    // A process of this number lives here, and has nothing to do with it.
    writeFileSync(file, JSON.stringify({pid: process.pid, host: hostname(), process: `boot pid:[1] ${process.pid} 1`}));
    const written = (secondsAgo: number) => utimesSync(file, Date.now() / 1000, Date.now() / 1000 - secondsAgo);
    written(50);
    expect((await codeOf(() => open()))[0]).toBe('run-locked');
    written(70);
    expect((await codeOf(() => open()))[0]).toBe('no error');
  });

  it('of another machine counts', async () => {
    sweepOf(text);
    mkdirSync(folder, {recursive: true});
    writeFileSync(join(folder, 'run.lock'), JSON.stringify({pid: 1, host: 'elsewhere', process: null}));
    expect(await codeOf(() => open())).toEqual(['run-locked', expect.stringContaining('elsewhere')]);
  });
});

describe('temporary files', () => {
  it('of processes that are gone are swept by the next start, those of others stay', async () => {
    sweepOf(text);
    const {pid} = spawnSync(process.execPath, ['--version']);
    const foreign = join(home, 'cache');
    for (const name of ['', 'adapters', 'checkpoints']) mkdirSync(join(folder, name), {recursive: true});
    mkdirSync(foreign);
    const of = (name: string, by: number) => temporaryOf(name).replace(`-${process.pid}-`, `-${by}-`);
    mkdirSync(of(join(folder, 'adapters', 'x'), pid!));
    for (const name of ['events.jsonl', 'manifest.json', 'checkpoints/x.safetensors'])
      writeFileSync(of(join(folder, name), pid!), 'half');
    writeFileSync(join(folder, 'checkpoints', 'x.safetensors'), 'whole');
    writeFileSync(join(folder, 'manifest.json'), '{}');
    await open();
    expect(readdirSync(folder).sort()).toEqual(['adapters', 'checkpoints', 'manifest.json', 'run.lock']);
    expect(readdirSync(join(folder, 'adapters'))).toEqual([]);
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['x.safetensors']);

    writeFileSync(of(join(foreign, 'dead'), pid!), 'half');
    writeFileSync(of(join(foreign, 'alive'), process.pid), 'half');
    writeFileSync(join(foreign, 'thesis.tmp'), '');
    sweepTemporaries(foreign);
    expect(
      readdirSync(foreign)
        .map(name => name.split('.')[0])
        .sort(),
    ).toEqual(['alive', 'thesis']);
  });
});

describe('a full disk', () => {
  it('is one sentence that says what to do', async () => {
    // The one device that is always full is Linux's.
    if (process.platform !== 'linux') return;
    const {sweep, trials} = sweepOf(text);
    const run = await openRun({folder, sweepFile, resume: false});
    run.begin(sweep, trials, ingredients);
    symlinkSync('/dev/full', events());
    const [code, message] = await codeOf(() => run.append(started(trials)));
    expect(code).toBe('disk-full');
    expect(message).toMatch(/events\.jsonl.*disk is full.*--resume/);
    expect((await codeOf(() => run.append({event: 'note', message: 'x'})))[0]).toBe('disk-full');
    expect((await codeOf(() => run.close()))[0]).toBe('disk-full');
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
  });
});
