/** Who does what comes after the last task of a run: one process, and never none. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../../core/run/events.ts';
import {readLine} from '../../../../core/run/line.ts';
import {asksForMore} from '../../../../trainer/run/tasks/closing.ts';
import {readFolder} from '../../../../trainer/store/tasks/read-folder.ts';
import {claim} from '../../../../trainer/store/tasks/task-files.ts';
import {chance} from '../../store/tasks/world.ts';
import {testFolder} from '../../test-folder.ts';
import {begin, close, end, open, sweep, taskNames, trainAll} from './closing-world.ts';

const home = testFolder();

function eventsOf(folder: string): RunEvent[] {
  const files = readdirSync(join(folder, 'events')).filter(name => name.endsWith('.jsonl'));
  return files.flatMap(name =>
    readFileSync(join(folder, 'events', name), 'utf8')
      .split('\n')
      .flatMap(line => readLine(line).event ?? []),
  );
}

/** Every trial was trained once, and nothing is left to ask for. */
async function expectEnd(folder: string): Promise<void> {
  const {state} = await readFolder(folder);
  expect(state.state).toBe('finished');
  expect(await asksForMore(folder, sweep, state)).toBe(false);
  const ended = eventsOf(folder).flatMap(one => (one.event === 'trial-ended' ? [one.trial] : []));
  expect(ended.toSorted()).toEqual(state.trials.map(({trial}) => trial.id).toSorted());
  expect(state.added.length).toBeGreaterThan(0);
}

/** Both tasks have ended, and whoever did that was killed then. */
async function ended(name: string): Promise<string> {
  const folder = join(home, name);
  begin(folder);
  for (const task of taskNames) {
    const store = (await open(folder, [task]))!;
    trainAll(store);
    end(store);
  }
  return folder;
}

const rounds = 12;

describe('after the last task', () => {
  it(`one of two parts that end at the same moment trains what more is asked for (${rounds} times)`, async () => {
    const random = chance(7);
    const barrier = new Int32Array(new SharedArrayBuffer(4));
    const module = new URL('closing-part.ts', import.meta.url);
    const parts = taskNames.map(task => {
      // Often together, sometimes one after the other.
      const late = Array.from({length: rounds}, () => (random() < 0.5 ? 0 : 12 * random()));
      const work = {folder: home, rounds, task, late, barrier, parts: taskNames.length};
      return new Promise<number[]>((resolve, reject) => {
        const worker = new Worker(module, {workerData: work});
        worker.once('message', resolve).once('error', reject);
      });
    });
    const closed = await Promise.all(parts);
    expect(closed[0]!.map((times, round) => times + closed[1]![round]!)).toEqual(Array(rounds).fill(1));
    for (let round = 0; round < rounds; round++) await expectEnd(join(home, `${round}`));
  });

  it('whoever comes next does it where the one that ended last was killed before it began', async () => {
    const folder = await ended('before');
    const {state} = await readFolder(folder, undefined, true);
    expect(await asksForMore(folder, sweep, state)).toBe(true);
    expect(await close(folder)).toBe(1);
    expect(await close(folder)).toBe(0);
    await expectEnd(folder);
  });

  it('and where it was killed between its claim and its first word, once that has been silent', async () => {
    const folder = await ended('silent');
    claim(folder, 't0001');
    expect(await close(folder, 100)).toBe(1);
    await expectEnd(folder);
    expect(existsSync(join(folder, 'events/t0001.a3.jsonl'))).toBe(true);
  });

  it('nobody does where one is at it, or where its first word is awaited', async () => {
    const folder = await ended('busy');
    const other = (await open(folder, taskNames, 1))!;
    expect(await close(folder)).toBe(0);
    other.close();
    const late = await ended('late');
    claim(late, 't0001');
    const waiting = close(late, 60_000);
    const first = readFileSync(join(folder, 'events/t0001.a2.jsonl'), 'utf8');
    writeFileSync(join(late, 'events/t0001.a2.jsonl'), first, {flag: 'a'});
    expect(await waiting).toBe(0);
  });
});
