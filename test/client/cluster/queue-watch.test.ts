import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {QueueWatch, type Watched} from '../../../client/cluster/queue-watch.ts';
import type {Status} from '../../../core/run/tasks/status.ts';

const status: Status = {state: 'waiting', name: 's', trials: {}, tasks: [], scheduler: 'slurm', jobs: [], eta_s: null};
const minutes = (number: number) => vi.advanceTimersByTimeAsync(number * 60_000);

let seen: boolean;
let queues: boolean;
let asked: string[];
let told: Status[];
let watch: QueueWatch;

beforeEach(() => {
  vi.useFakeTimers();
  [seen, queues, asked, told] = [true, true, [], []];
  const run = (folder: string): Watched => ({
    folder,
    get queues() {
      return queues;
    },
    queued: one => void told.push(one),
  });
  const runs = [run('a'), run('b')];
  const ask = async (folder: string) => {
    asked.push(folder);
    return folder === 'a' ? status : undefined;
  };
  watch = new QueueWatch({runs: () => runs, isSeen: () => seen, ask});
});
afterEach(() => {
  watch.dispose();
  vi.useRealTimers();
});

it('asks about each run at once, and then once a minute', async () => {
  watch.seen();
  await minutes(10);
  expect(asked.filter(folder => folder === 'a')).toHaveLength(11);
  expect(asked.filter(folder => folder === 'b')).toHaveLength(11);
});

it('tells what was found out, and nothing where nothing was', async () => {
  watch.seen();
  await minutes(0);
  expect(told).toEqual([status]);
});

it('asks nobody while nobody looks, and not sooner for somebody who looks again and again', async () => {
  watch.seen();
  await minutes(0.2);
  for (let k = 0; k < 20; k++) {
    seen = !seen;
    watch.seen();
    await minutes(0.01);
  }
  expect(asked).toEqual(['a', 'b']);
  seen = false;
  watch.seen();
  await minutes(60);
  expect(asked).toEqual(['a', 'b']);
  seen = true;
  watch.seen();
  expect(asked).toEqual(['a', 'b', 'a', 'b']);
});

it('asks nothing of a run that no scheduler has, until one does', async () => {
  queues = false;
  watch.seen();
  await minutes(5);
  expect(asked).toEqual([]);
  queues = true;
  await minutes(0.1);
  expect(asked).toEqual(['a', 'b']);
});
