import {expect, it} from 'vitest';
import type {ToWorker} from '../../../trainer/run/jobs.ts';
import type {Agenda, Portion} from '../../../trainer/run/search/agenda.ts';
import {Feed} from '../../../trainer/run/search/feed.ts';
import {JobQueue} from '../../../trainer/run/search/queue.ts';

const job = (name: string): ToWorker => ({kind: 'merge', folder: name, adapter: name});

it('jobs are taken in order, and who finds none waits for the next one', async () => {
  const queue = new JobQueue([job('a')]);
  expect(await queue.take()).toEqual(job('a'));
  const [first, second] = [queue.take(), queue.take()];
  queue.add([job('b'), job('c'), job('d')]);
  expect([await first, await second, await queue.take()]).toEqual([job('b'), job('c'), job('d')]);
});

it('a closed queue gives what it has and then nothing; a dropped one nothing', async () => {
  const closed = new JobQueue([job('a')]);
  closed.close();
  expect([await closed.take(), await closed.take()]).toEqual([job('a'), undefined]);
  const dropped = new JobQueue([job('a')]);
  dropped.drop();
  expect(await dropped.take()).toBe(undefined);
});

it('a job that is held is passed by, and taken as soon as a look finds it free; a closed queue still gives it', async () => {
  const held = new Set(['b']);
  const queue = new JobQueue([job('a'), job('b'), job('c')], {
    holds: one => one.kind === 'merge' && held.has(one.folder),
  });
  queue.close();
  expect([await queue.take(), await queue.take()]).toEqual([job('a'), job('c')]);
  const [waiting, last] = [queue.take(), queue.take()];
  let isGiven = false;
  void waiting.then(() => {
    isGiven = true;
  });
  queue.look();
  await Promise.resolve();
  expect(isGiven).toBe(false);
  held.clear();
  queue.look();
  expect([await waiting, await last]).toEqual([job('b'), undefined]);
});

it('whoever waits hears that nothing will come', async () => {
  const queue = new JobQueue();
  const waiting = queue.take();
  queue.close();
  expect(await waiting).toBe(undefined);
});

it('a feed asks again after every job, and ends when nothing is under way and nothing more is wanted', async () => {
  const portions: Portion[][] = [[{trials: []}, {trials: [], until: 3}], [], [{trials: []}]];
  const agenda: Agenda = {next: () => portions.shift() ?? []};
  let made = 0;
  const feed = new Feed(agenda, wanted => wanted.map(() => job(String(++made))));
  expect(feed.fill()).toBe(true);
  expect([await feed.queue.take(), await feed.queue.take()]).toEqual([job('1'), job('2')]);
  feed.ended();
  const third = feed.queue.take();
  feed.ended();
  expect(await third).toEqual(job('3'));
  const none = feed.queue.take();
  feed.ended();
  expect(await none).toBe(undefined);
});

it('a feed of nothing is over before it begins', () => {
  expect(new Feed({next: () => []}, () => []).fill()).toBe(false);
});
