/** What a relay does, decided from what lies in the folder; a thousand tasks in a simulated cluster. */
import {describe, expect, it} from 'vitest';
import {type Decision, decide, type TaskFacts} from '../../../trainer/submit/decide.ts';
import type {Submission} from '../../../trainer/submit/facts.ts';
import {callsAtOnce, pauseOf} from '../../../trainer/submit/pause.ts';
import {arraysOf, type Limits} from '../../../trainer/submit/slurm/array.ts';

const task = (name: string, state: TaskFacts['state'], retries = 0): TaskFacts => ({task: name, state, retries});
const facts = {rounds: [0], done: 10, retryFailed: 0, cancelled: null};

describe('a relay', () => {
  it('ends where nothing is left, failed tasks included', () => {
    const tasks = [task('t0001', 'finished'), task('t0002', 'failed')];
    expect(decide({...facts, tasks})).toEqual({kind: 'end'});
  });

  it('files again exactly what is left', () => {
    const tasks = [
      task('t0001', 'finished'),
      task('t0002', 'stopped'),
      task('t0003', 'running'),
      task('t0004', 'waiting'),
    ];
    expect(decide({...facts, tasks})).toEqual({kind: 'again', tasks: ['t0002', 't0003', 't0004']});
  });

  it('tries failed tasks again as often as asked', () => {
    const tasks = [task('t0001', 'failed', 1), task('t0002', 'failed', 2)];
    expect(decide({...facts, tasks, retryFailed: 2})).toEqual({kind: 'again', tasks: ['t0001']});
  });

  it('gives up after two rounds without progress, naming what is left, and not before', () => {
    const tasks = [task('t0001', 'stopped')];
    expect(decide({...facts, tasks, rounds: [10]}).kind).toBe('again');
    expect(decide({...facts, tasks, rounds: [10, 10]})).toEqual({kind: 'give-up', tasks: ['t0001']});
    expect(decide({...facts, tasks, rounds: [10, 10], done: 11}).kind).toBe('again');
    expect(decide({...facts, tasks, rounds: [0, 10]}).kind).toBe('again');
  });

  it('does not count what was trained twice: less than before is no progress', () => {
    const tasks = [task('t0001', 'stopped')];
    expect(decide({...facts, tasks, rounds: [0, 10, 12], done: 11}).kind).toBe('again');
    expect(decide({...facts, tasks, rounds: [0, 12, 11], done: 11}).kind).toBe('give-up');
  });

  it('files nothing for a run that was cancelled', () => {
    const tasks = [task('t0001', 'stopped'), task('t0002', 'stopped')];
    expect(decide({...facts, tasks, cancelled: 'all'})).toEqual({kind: 'cancelled'});
    expect(decide({...facts, tasks, cancelled: new Set(['t0001'])})).toEqual({kind: 'again', tasks: ['t0002']});
    expect(decide({...facts, tasks, cancelled: new Set(['t0001', 't0002'])})).toEqual({kind: 'cancelled'});
  });
});

/** Deterministic numbers in 0..1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Simulated {
  rounds: number;
  calls: number;
  minutes: number;
  largest: number;
  /** Calls beyond one a minute since the submission by hand, at the worst moment. */
  excess: number;
  last: Decision;
}

interface World {
  count: number;
  limits: Limits;
  /** Share of elements that come to nothing in a round. */
  lost: number;
  /** Minutes that a round takes. */
  pace(round: number): number;
  /** The most that an element comes further in a round, of 100. */
  most?: number;
}

/** Every element has ended after a round, come further, or been lost with nothing done; the clock is that of the cluster. */
function simulate({count, limits, lost, pace, most = 100}: World): Simulated {
  const random = numbers(1);
  const names = Array.from({length: count}, (_, k) => `t${String(k + 1).padStart(4, '0')}`);
  const steps = new Map(names.map(name => [name, 0]));
  const needed = 100;
  const rounds: number[] = [];
  const submitted: Submission[] = [];
  const came = {rounds: 0, calls: 0, minutes: 0, largest: 0, excess: 0};
  for (let tasks = names; ; ) {
    const arrays = arraysOf(tasks, limits);
    const byHand = came.rounds === 0;
    // A look at the queue, one at the limits, an sbatch an array, and one for the relay.
    const calls = 2 + arrays.length + 1;
    came.calls += calls;
    if (!byHand) came.excess = Math.max(came.excess, came.calls - submitted[0]!.done! - came.minutes);
    came.rounds++;
    came.largest = Math.max(came.largest, ...arrays.map(array => array.tasks.length));
    const pause = byHand ? 0 : pauseOf(submitted, 60_000 * came.minutes);
    for (const array of arrays)
      submitted.push({
        ...{to: 'slurm', job: '1', tasks: array.tasks, round: came.rounds, at: 60_000 * came.minutes, done: calls},
        ...(!byHand && {by: 'relay' as const}),
      });
    rounds.push(sum(steps.values()));
    for (const name of tasks)
      if (random() >= lost) steps.set(name, Math.min(needed, steps.get(name)! + Math.ceil(random() * most)));
    came.minutes += pause / 60 + pace(came.rounds);
    const states = names.map(name => task(name, steps.get(name) === needed ? 'finished' : 'stopped'));
    const decision = decide({tasks: states, rounds, done: sum(steps.values()), retryFailed: 0, cancelled: null});
    if (decision.kind !== 'again') return {...came, last: decision};
    tasks = decision.tasks;
  }
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe('a thousand tasks', () => {
  const usual = {count: 1000, limits: {indexBelow: 1001, jobs: 10_000}, lost: 0.3, pace: () => 30};

  it('are brought to their end through losses, with less than one call to the scheduler a minute', () => {
    const came = simulate(usual);
    expect(came.last).toEqual({kind: 'end'});
    expect(came.calls).toBeLessThan(came.minutes);
    expect(came.largest).toBeLessThanOrEqual(1000);
  });

  it('are cut to what a small cluster takes, with no more calls', () => {
    const came = simulate({...usual, limits: {indexBelow: 101, jobs: 60}});
    expect(came.last).toEqual({kind: 'end'});
    expect(came.largest).toBe(60);
    expect(came.calls).toBeLessThan(came.minutes);
  });

  it.each([
    ['end within seconds, each a little further', () => 0.1, 2],
    ['end within seconds now and then', (round: number) => (round % 3 === 0 ? 20 : 0.1), 5],
    ['become slower and slower', (round: number) => round / 2, 5],
    ['become faster and faster', (round: number) => 60 / round, 5],
  ])('whose rounds %s trouble the scheduler with few calls at once, and then one a minute', (_, pace, most) => {
    for (const limits of [usual.limits, {indexBelow: 201, jobs: 10_000}]) {
      const came = simulate({...usual, pace, most, limits});
      expect(came.last).toEqual({kind: 'end'});
      expect(came.rounds).toBeGreaterThan(20);
      // Arrays of a round are filed together, and each round knows only those before it.
      expect(came.excess).toBeLessThanOrEqual(callsAtOnce + Math.ceil(1000 / (limits.indexBelow - 1)) + 1);
    }
  });

  it('whose rounds last are never held up', () => {
    const submitted: Submission[] = [];
    for (let round = 1; round < 50; round++) {
      const at = 600_000 * round;
      if (round > 1) expect(pauseOf(submitted, at)).toBe(0);
      submitted.push({to: 'slurm', job: '1', tasks: [], round, at, ...(round > 1 && {by: 'relay' as const})});
    }
  });

  it('that nothing comes of end after two rounds', () => {
    const came = simulate({...usual, lost: 1});
    expect(came.rounds).toBe(2);
    expect(came.last).toMatchObject({kind: 'give-up'});
  });
});
