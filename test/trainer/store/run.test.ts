import {appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {openRun, readRun} from '../../../trainer/store/run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const text = 'model: base\ndata: {train: a.jsonl, format: text}\nmethods: [lora]\nlearning_rate: RATE\n';

/** Starts a run of one trial in its own folder and leaves `steps` events. */
async function begin(name: string, {resume = false, rate = '1e-3', steps = 3} = {}): Promise<string> {
  const sweepFile = join(folder, `${name}.sweep.yaml`);
  writeFileSync(sweepFile, text.replace('RATE', rate));
  const sweep = readSweep(readFileSync(sweepFile, 'utf8'), `${name}.sweep.yaml`).sweep!;
  const trials = expandTrials(sweep);
  const out = join(folder, name);
  const run = await openRun({folder: out, sweepFile, resume});
  try {
    run.begin(sweep, trials, {versions: {}, engine: 'cpu', modelHash: 'm', dataHashes: {'a.jsonl': 'd'}});
    const [{id}] = trials as [(typeof trials)[0]];
    const common = {engine: 'cpu', reason: '', workers: 1, resumed: resume, steps: {16: 3}};
    run.append({event: 'run-started', name, trials, ...common});
    run.append({event: 'trial-started', trial: id, steps: 3, worker: 0});
    for (let step = 1; step <= steps; step++)
      run.append({event: 'step', trials: [id], step, losses: [1 / step], rates: [1e-3], gradNorms: [1]});
  } finally {
    run.close();
  }
  return out;
}

const eventsOf = (out: string) => join(out, 'events.jsonl');

describe('a run folder', () => {
  it('is read back as it was written', async () => {
    const {state} = await readRun(await begin('plain'));
    expect(state.trials.map(({steps, loss}) => [steps, loss])).toEqual([[3, 1 / 3]]);
  });

  it('loses a torn last line only, and says so; the next event stands on a line of its own', async () => {
    const out = await begin('torn');
    const before = readFileSync(eventsOf(out), 'utf8');
    appendFileSync(eventsOf(out), '{"event":"step","at":1,"tri');
    const {state, reading} = await readRun(out);
    expect(state.trials[0]!.steps).toBe(3);
    expect(reading.torn).toBeTruthy();
    await begin('torn', {resume: true, steps: 1});
    const after = readFileSync(eventsOf(out), 'utf8');
    expect(after.startsWith(before)).toBe(true);
    for (const line of after.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('loses a line of garbage only', async () => {
    const out = await begin('garbage');
    const lines = readFileSync(eventsOf(out), 'utf8').split('\n');
    writeFileSync(eventsOf(out), [...lines.slice(0, 3), 'garbage', ...lines.slice(3)].join('\n'));
    expect((await readRun(out)).state.trials[0]!.steps).toBe(3);
  });

  it('with results is not overwritten, nor continued by a sweep that is another one', async () => {
    const out = await begin('kept');
    const before = readFileSync(eventsOf(out), 'utf8');
    await expect(begin('kept')).rejects.toThrow(/--resume/);
    const sweepFile = join(folder, 'kept.sweep.yaml');
    writeFileSync(sweepFile, `${text.replace('RATE', '1e-3')}training: {weight_decay: 0.1}\n`);
    const {sweep} = readSweep(readFileSync(sweepFile, 'utf8'), 'kept.sweep.yaml');
    const run = await openRun({folder: out, sweepFile, resume: true});
    const ingredients = {versions: {}, engine: 'cpu', modelHash: 'm', dataHashes: {'a.jsonl': 'd'}};
    expect(() => run.begin(sweep!, expandTrials(sweep!), ingredients)).toThrow(/weight_?decay/i);
    run.close();
    expect(readFileSync(eventsOf(out), 'utf8')).toBe(before);
  });

  it('takes one writer at a time', async () => {
    const sweepFile = join(folder, 'plain.sweep.yaml');
    const first = await openRun({folder: join(folder, 'locked'), sweepFile, resume: true});
    await expect(openRun({folder: join(folder, 'locked'), sweepFile, resume: true})).rejects.toThrow(/run/);
    first.close();
    (await openRun({folder: join(folder, 'locked'), sweepFile, resume: true})).close();
  });

  it('is never a folder of somebody else', async () => {
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine', 'thesis.tex'), '');
    await expect(openRun({folder: join(folder, 'mine'), sweepFile: 'x', resume: false})).rejects.toThrow(/mine/);
  });
});
