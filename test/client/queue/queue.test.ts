import {expect, it} from 'vitest';
import {Queue} from '../../../client/queue/queue.ts';

/** A queue over what a window keeps, and a machine that is busy as long as it is told so. */
function setUp(kept: Map<string, unknown> = new Map()) {
  const started: string[] = [];
  const machine = {isBusy: false, fails: new Set<string>()};
  const queue = new Queue(
    {get: key => kept.get(key), update: async (key, value) => void kept.set(key, structuredClone(value))},
    {
      isBusy: () => machine.isBusy,
      async start(uri) {
        started.push(uri);
        machine.isBusy = !machine.fails.has(uri);
      },
      changed() {},
    },
  );
  return {queue, started, machine, kept};
}

it('starts the first at once, and each other one when nothing else is trained', async () => {
  const {queue, started, machine} = setUp();
  await queue.ready();
  for (const uri of ['a', 'b', 'c', 'b']) await queue.add(uri);
  expect([started, queue.waiting]).toEqual([['a'], ['b', 'c']]);
  await queue.look();
  expect(started, 'while a is at work').toEqual(['a']);
  machine.isBusy = false;
  await queue.look();
  machine.isBusy = false;
  await queue.look();
  expect([started, queue.waiting]).toEqual([['a', 'b', 'c'], []]);
});

it('what was removed does not start', async () => {
  const {queue, started, machine} = setUp();
  await queue.ready();
  for (const uri of ['a', 'b', 'c']) await queue.add(uri);
  await queue.remove('b');
  machine.isBusy = false;
  await queue.look();
  expect(started).toEqual(['a', 'c']);
  await queue.add('d');
  await queue.clear();
  machine.isBusy = false;
  await queue.look();
  expect(started).toEqual(['a', 'c']);
});

it('one that cannot start leaves its turn to the next', async () => {
  const {queue, started, machine} = setUp();
  machine.isBusy = true;
  await queue.ready();
  for (const uri of ['broken', 'b']) await queue.add(uri);
  machine.fails.add('broken');
  machine.isBusy = false;
  await queue.look();
  expect(started).toEqual(['broken', 'b']);
});

it('outlives its window: behind a run that goes on the next one starts, else somebody has to say so', async () => {
  const first = setUp();
  first.machine.isBusy = true;
  await first.queue.ready();
  for (const uri of ['a', 'b']) await first.queue.add(uri);

  const busy = setUp(new Map(first.kept));
  busy.machine.isBusy = true;
  await busy.queue.look();
  await busy.queue.ready();
  busy.machine.isBusy = false;
  await busy.queue.look();
  expect(busy.started).toEqual(['a']);

  const idle = setUp(new Map(first.kept));
  await idle.queue.look();
  await idle.queue.ready();
  await idle.queue.look();
  expect([idle.started, idle.queue.paused, idle.queue.waiting]).toEqual([[], true, ['a', 'b']]);
  await idle.queue.goOn();
  expect([idle.started, idle.queue.waiting]).toEqual([['a'], ['b']]);
});

it('stands still when somebody stops a run, until it is told to go on', async () => {
  const {queue, started, machine} = setUp();
  machine.isBusy = true;
  await queue.ready();
  await queue.add('a');
  await queue.pause();
  machine.isBusy = false;
  await queue.look();
  expect(started).toEqual([]);
  await queue.goOn();
  expect(started).toEqual(['a']);
  await queue.pause();
  expect(queue.paused, 'an empty queue has nothing to hold back').toBe(false);
});

it('whatever another version kept is no fault', () => {
  for (const value of [null, 1, {waiting: 'a'}, {waiting: [1]}, []])
    expect(setUp(new Map([['loraSweep.queue', value]])).queue.waiting).toEqual([]);
});
