import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {Follower} from '../../client/run/follow.ts';
import type {RunEvent} from '../../core/run/events.ts';
import {emptyRun, fold} from '../../core/run/fold.ts';
import {formatLine} from '../../core/run/line.ts';
import {formatSnapshot, snapshotName, tailBytes} from '../../core/run/snapshot.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {openRun, readRun} from '../../trainer/store/run.ts';

const trial = (id: string, seed: number): Trial => {
  const setting = {method: 'lora', rank: 8, alpha: 8, batchSize: 16, learningRate: 1e-3} as const;
  return {id, ...setting, seed};
};
const trials = [trial('__proto__', 1), trial('b', 2)];
/** Enough for more than a megabyte of events. */
const steps = 8000;

let folder: string;
let events: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'follow-')), 'run');
  events = join(folder, 'events.jsonl');
});

afterEach(() => rmSync(dirname(folder), {recursive: true, force: true}));

async function longRun(): Promise<void> {
  const run = await openRun({folder, sweepFile: '', resume: false});
  const reason = 'the only one';
  run.append({
    event: 'run-started',
    ...{name: 'long', trials, engine: 'cpu', reason, workers: 1, resumed: false, steps: {16: steps}},
  });
  for (const {id} of trials) {
    run.append({event: 'trial-started', trial: id, steps, worker: 0});
    for (let step = 1; step <= steps; step++) {
      run.append({event: 'step', trials: [id], step, losses: [1 / step], rates: [1e-3], gradNorms: [Math.sin(step)]});
    }
    run.append({event: 'trial-ended', trial: id, state: 'finished', steps, seconds: 5});
  }
  run.append({event: 'run-ended', state: 'finished', seconds: 10});
  run.close();
}

/** Turns that others had while `work` was under way, and the parts that were read at each. */
async function turnsDuring(work: Promise<unknown>, part: () => number | null): Promise<number[]> {
  const parts: number[] = [];
  let isOver = false;
  void work.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await setImmediate();
    const read = part();
    if (read !== null) parts.push(read);
  }
  return parts;
}

describe('while a long run is read', () => {
  it('others have a turn after every 64 kB at the latest, and see how far it is', async () => {
    await longRun();
    rmSync(join(folder, snapshotName), {force: true});
    const follower = new Follower(folder);
    const parts = await turnsDuring(follower.read(), () => follower.part);
    expect(parts.toSorted((a, b) => a - b)).toEqual(parts);
    const seen = new Set(parts.filter(part => part > 0 && part < 1));
    expect(seen.size).toBeGreaterThanOrEqual(Math.floor(statSync(events).size / 65536) - 1);
    expect(follower.part).toBeNull();
    expect(follower.state(false).state).toBe('finished');
  });

  it('others have a turn after every trial of a snapshot, and see how far it is', async () => {
    await longRun();
    const {state} = await readRun(folder);
    const many = Array.from({length: 50}, (_, k) => ({...state.trials[1]!, trial: trial(`t${k}`, k)}));
    const text = readFileSync(events);
    const [bytes, tail] = [text.length, text.subarray(-tailBytes).toString('latin1')];
    writeFileSync(join(folder, snapshotName), formatSnapshot({state: {...state, trials: many}, bytes, tail}));
    const follower = new Follower(folder);
    const parts = await turnsDuring(follower.read(), () => follower.part);
    const seen = new Set(parts.filter(part => part > 0 && part < 1));
    expect(seen.size).toBeGreaterThanOrEqual(many.length - 1);
    expect(follower.part).toBeNull();
    expect(follower.state(false).trials.map(view => view.trial.id)).toEqual(many.map(view => view.trial.id));
  });
});

async function followed(): Promise<unknown> {
  const follower = new Follower(folder);
  await follower.read();
  return follower.state(false);
}

it('a run that was begun anew in the same place is read from its beginning, also where it is as long', async () => {
  await longRun();
  const follower = new Follower(folder);
  await follower.read();
  renameSync(folder, `${folder}@2026-12-01-0239`);
  await longRun();
  appendFileSync(events, formatLine({event: 'note', message: 'the second', at: 1}));
  expect(await follower.read()).toBe(true);
  const {trials: read, notes} = follower.state(false);
  expect([read.map(({losses}) => losses.counts.reduce((sum, n) => sum + n, 0)), notes]).toEqual([
    [steps, steps],
    ['the second'],
  ]);
});

it('a follower goes on after an error: what may not be read now is read later', async () => {
  await longRun();
  const follower = new Follower(folder);
  chmodSync(dirname(folder), 0o755);
  chmodSync(folder, 0o755);
  chmodSync(events, 0);
  // The administrator may read everything.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(follower.read()).rejects.toMatchObject({code: 'EACCES'});
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  chmodSync(events, 0o644);
  expect(await follower.read()).toBe(true);
  expect(follower.state(false).trials).toHaveLength(2);
});

describe('a follower of a long run', () => {
  it('begins at the snapshot and comes to what the events say', async () => {
    await longRun();
    expect(existsSync(join(folder, snapshotName))).toBe(true);
    const {state} = await readRun(folder);
    expect(state.trials).toHaveLength(2);
    expect(await followed()).toEqual(state);
    // Events whose first part is unreadable: what is right now comes from the snapshot.
    const text = readFileSync(events, 'utf8');
    writeFileSync(events, `${'x'.repeat(1000)}${text.slice(1000)}`);
    expect(await followed()).toEqual(state);
  });

  it('goes on behind the snapshot', async () => {
    await longRun();
    const note: RunEvent = {event: 'note', message: 'later', at: Date.now()};
    appendFileSync(events, formatLine(note));
    const {state} = await readRun(folder);
    expect(state.notes).toEqual(['later']);
    expect(await followed()).toEqual(state);
  });

  it.each([
    [
      'of other events',
      () => appendFileSync(events, 'x'.repeat(10)),
      (text: string) => text.replace('"tail":"', '"tail":"x'),
    ],
    ['of a longer file', () => truncateSync(events, 1000), (text: string) => text],
    ['torn', () => undefined, (text: string) => text.slice(0, 5000)],
    ['of another version', () => undefined, (text: string) => text.replace('"version":', '"version":9')],
  ])('does without a snapshot that is %s', async (_, damage, changed) => {
    await longRun();
    const file = join(folder, snapshotName);
    writeFileSync(file, changed(readFileSync(file, 'utf8')));
    damage();
    expect(await followed()).toEqual((await readRun(folder)).state);
  });
});

describe('events folded all at once', () => {
  it('come to the same as one by one, and leave earlier states as they were', async () => {
    await longRun();
    const all = readFileSync(events, 'utf8')
      .trim()
      .split('\n')
      .map((line): RunEvent => JSON.parse(line));
    const early = all.slice(0, 500).reduce((state, event) => fold(state, event), emptyRun);
    const copy = structuredClone(early);
    const one = all.slice(500).reduce((state, event) => fold(state, event), early);
    expect(early).toEqual(copy);
    expect((await readRun(folder)).state).toEqual(one);
  });
});
