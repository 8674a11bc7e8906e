import {describe, expect, it} from 'vitest';
import {attemptName, attemptsIn, isSubmissionName, readAttemptName} from '../../../../core/run/tasks/names.ts';
import {cellsOfTask, shardOf, type Task, tasksOf} from '../../../../core/run/tasks/tasks.ts';
import type {Trial} from '../../../../core/sweep/sweep.ts';

/** `methods` × ranks × rates × seeds, in the order of a sweep. */
function trialsOf(methods: Trial['method'][], ranks: number[], rates: number, seeds: number): Trial[] {
  return methods.flatMap(method =>
    ranks.flatMap(rank =>
      Array.from({length: rates}, (_, rate) => 10 ** (rate - 5)).flatMap(learningRate =>
        Array.from({length: seeds}, (_, k) => k + 1).map(seed => ({
          ...{method, rank, alpha: rank, batchSize: 8, learningRate, seed},
          id: `${method}-r${rank}-b8-lr${learningRate.toExponential(2)}-s${seed}`,
        })),
      ),
    ),
  );
}

const trials = trialsOf(['lora', 'pissa', 'dora'], [4, 8], 3, 2);
const idsOf = (tasks: readonly Task[]) => tasks.flatMap(one => one.trials);

describe('the tasks of a sweep', () => {
  it('are its cells, by names that count up in the order of the sweep', () => {
    const tasks = tasksOf(trials);
    expect(tasks.map(({task, cell}) => `${task} ${cell}`)).toEqual([
      't0001 lora-r4-b8',
      't0002 lora-r8-b8',
      't0003 pissa-r4-b8',
      't0004 pissa-r8-b8',
      't0005 dora-r4-b8',
      't0006 dora-r8-b8',
    ]);
    expect(idsOf(tasks)).toEqual(trials.map(({id}) => id));
  });

  it.each([1, 2, 4, 5, 6, 100])('of at most %i trials each hold every trial once, never of two cells', perTask => {
    const tasks = tasksOf(trials, {perTask});
    expect(idsOf(tasks)).toEqual(trials.map(({id}) => id));
    expect(tasks.every(one => one.trials.length <= perTask)).toBe(true);
    expect(tasks.every(one => one.trials.every(id => id.startsWith(one.cell)))).toBe(true);
    expect(tasks.length).toBe(6 * Math.ceil(6 / Math.min(perTask, 6)));
  });

  it('are groups of cells where a search takes the best of several tuned settings', () => {
    const decays = ['0', '0.1'];
    const all = trials.flatMap(trial =>
      decays.map(text => ({...trial, id: `${trial.id}-wd${text}`, settings: {'training.weight_decay': text}})),
    );
    const tasks = tasksOf(all, {}, ['training.weight_decay']);
    expect(tasks.map(({cell}) => cell)).toEqual(tasksOf(trials).map(({cell}) => cell));
    expect(tasks[0]).toMatchObject({cell: 'lora-r4-b8', cells: ['lora-r4-b8-wd0', 'lora-r4-b8-wd0.1']});
    expect(cellsOfTask(tasks[0]!)).toEqual(tasks[0]!.cells);
    expect(idsOf(tasks).toSorted()).toEqual(all.map(({id}) => id).toSorted());
    // Where they are conditions, or trained whole, nobody waits for anybody.
    expect(tasksOf(all, {}, [])).toEqual(tasksOf(all));
    expect(tasksOf(all)).toHaveLength(12);
  });

  it('are cut no further than a trial each, and in a search only where that is asked for', () => {
    expect(tasksOf(trials, {atLeast: 1000})).toHaveLength(trials.length);
    expect(tasksOf(trials, {atLeast: 7})).toHaveLength(7);
    expect(tasksOf(trials, {atLeast: 1000}, [])).toEqual(tasksOf(trials));
    expect(tasksOf(trials, {atLeast: 1000, perTask: 2}, [])).toEqual(tasksOf(trials, {perTask: 2}));
  });
});

describe('the parts of a sweep', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 11, 36, 40])('of %i are disjoint and cover all', parts => {
    const tasks = tasksOf(trials, {atLeast: parts});
    const shares = Array.from({length: parts}, (_, k) => shardOf(tasks, {index: k + 1, parts}));
    expect(shares.flatMap(idsOf).toSorted()).toEqual(trials.map(({id}) => id).toSorted());
    const sizes = shares.map(share => idsOf(share).length);
    if (parts <= 6) expect(shares.flat().every(one => one.trials.length === 6)).toBe(true);
    if (parts <= trials.length) expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it('have about as many trials each, where cells are of different sizes', () => {
    const uneven = [...trialsOf(['lora'], [4], 12, 3), ...trialsOf(['pissa', 'dora', 'milora'], [4], 4, 3)];
    const tasks = tasksOf(uneven);
    const sizes = [1, 2].map(index => idsOf(shardOf(tasks, {index, parts: 2})).length);
    expect(sizes).toEqual([36, 36]);
  });

  it('beyond its tasks are empty, whatever number of parts is given', () => {
    const parts = Number.MAX_SAFE_INTEGER;
    const tasks = tasksOf(trials, {atLeast: parts});
    expect(shardOf(tasks, {index: 2, parts})).toEqual([tasks[1]]);
    expect(shardOf(tasks, {index: parts, parts})).toEqual([]);
  });
});

describe('the names of the tasks’ files', () => {
  it('say task and attempt', () => {
    expect(attemptName({task: 't0007', attempt: 12})).toBe('t0007.a12.jsonl');
    expect(readAttemptName('t0007.a12.jsonl')).toEqual({task: 't0007', attempt: 12});
    for (const other of ['t0007.a0.jsonl', 't7.a1.jsonl', 't0007.a1.jsonl.tmp', 's0001.jsonl', '../t0007.a1.jsonl'])
      expect(readAttemptName(other)).toBeNull();
    expect(['s0001.jsonl', 't0001.a1.jsonl'].filter(isSubmissionName)).toEqual(['s0001.jsonl']);
  });

  it('stand in the order in which they are folded', () => {
    const names = ['t10000.a1.jsonl', 't0002.a10.jsonl', 't0002.a9.jsonl', 'note.txt', 't9999.a1.jsonl'];
    expect(attemptsIn(names).map(attemptName)).toEqual([
      't0002.a9.jsonl',
      't0002.a10.jsonl',
      't9999.a1.jsonl',
      't10000.a1.jsonl',
    ]);
  });
});
