import {describe, expect, it} from 'vitest';
import type {Task} from '../../../../core/run/tasks/tasks.ts';
import {arrayIndex, jobName} from '../../../../trainer/process/scheduler.ts';
import {shardWanted, taskWanted} from '../../../../trainer/run/tasks/choose-tasks.ts';

const tasks: Task[] = Array.from({length: 6}, (_, k) => ({
  task: `t000${k + 1}`,
  cell: `c${k}`,
  trials: [`a${k}`, `b${k}`],
}));
const names = (found: readonly Task[]) => found.map(({task}) => task).join();
const shard = (environment: Record<string, string>) => names(shardWanted('auto', arrayIndex(environment)).of(tasks));
const task = (environment: Record<string, string>) => names(taskWanted('auto', arrayIndex(environment)).of(tasks));

describe('the part that a scheduler has given a process', () => {
  it('of Slurm counts from the least index of the array', () => {
    const at = (index: number, min: number, count: number) => ({
      ...{SLURM_ARRAY_TASK_ID: `${index}`, SLURM_ARRAY_TASK_MIN: `${min}`, SLURM_ARRAY_TASK_COUNT: `${count}`},
    });
    const expected = [1, 2, 3].map(index => names(shardWanted(`${index}/3`).of(tasks)));
    for (const min of [0, 1, 10]) expect([0, 1, 2].map(place => shard(at(min + place, min, 3)))).toEqual(expected);
    expect(() => shard(at(7, 1, 3))).toThrow(/without gaps/);
    expect([task(at(0, 0, 6)), task(at(1, 1, 6)), task(at(10, 10, 6)), task(at(0, 0, 2))]).toEqual([
      't0001',
      't0001',
      't0001',
      't0001',
    ]);
    // An array of what is left is numbered as the tasks are.
    expect([task(at(4, 4, 2)), task(at(6, 4, 2))]).toEqual(['t0004', 't0006']);
    expect(() => task(at(7, 4, 2))).toThrow(/t0001 to t0006/);
  });

  it.each([
    [{JOB_COMPLETION_INDEX: '2'}, 't0003'],
    [{PBS_ARRAY_INDEX: '3'}, 't0003'],
    [{LSB_JOBINDEX: '3', LSB_JOBINDEX_END: '6'}, 't0003'],
    [{SGE_TASK_ID: '3', SGE_TASK_FIRST: '1', SGE_TASK_LAST: '6'}, 't0003'],
    [{AWS_BATCH_JOB_ARRAY_INDEX: '2', AWS_BATCH_JOB_ARRAY_SIZE: '6'}, 't0003'],
    [{SKYPILOT_JOB_RANK: '2', SKYPILOT_NUM_JOBS: '6'}, 't0003'],
  ])('is read of %j', (environment, expected) => {
    expect(task({...environment})).toBe(expected);
    expect(shard({...environment})).toBe(expected);
  });

  it('is none outside of an array', () => {
    for (const environment of [{}, {SGE_TASK_ID: 'undefined'}, {LSB_JOBINDEX: '0'}])
      expect(() => shard(environment)).toThrow(expect.objectContaining({code: 'no-index'}));
    expect(() => task({})).toThrow(expect.objectContaining({code: 'no-index'}));
  });

  it('has the name of its job, the same when that is started again', () => {
    expect(jobName({SLURM_JOB_ID: '9', SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '2'})).toBe('7_2');
    expect([jobName({SLURM_JOB_ID: '9'}), jobName({PBS_JOBID: '4[2].head'}), jobName({})]).toEqual([
      '9',
      '4[2].head',
      undefined,
    ]);
  });
});

describe('a part that is written out', () => {
  it.each(['4/3', '0/3', '3', '1/0', '-1/3', 'a/b', '1.5/3'])('as %s is refused', text => {
    expect(() => shardWanted(text)).toThrow(expect.objectContaining({code: 'usage'}));
  });

  it.each(['t0004', '4', '0004'])('as task %s is found', text => {
    expect(names(taskWanted(text).of(tasks))).toBe('t0004');
  });
});
