import {describe, expect, it} from 'vitest';
import {isAwaited, leftOf} from '../../../client/cluster/handed-over.ts';
import {taskBranches} from '../../../client/cluster/task-branches.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {joined, taskPlan} from '../../../core/run/tasks/join.ts';
import type {Status, TaskStatus} from '../../../core/run/tasks/status.ts';
import {planOf, stepsOfTrial} from '../../trainer/store/tasks/world.ts';

const plan = foldAll(emptyRun, [planOf(['lora', 'pissa', 'dora', 'olora'])]);
const handed: RunEventBody = {
  ...{event: 'submitted', to: 'slurm', job: '7', tasks: ['t0001', 't0002', 't0003', 't0004'], round: 1, relay: '8'},
};

/** The run after what is said of its tasks; everything is stored a second after what was before. */
function runOf(
  tasks: Record<string, readonly RunEventBody[]> = {},
  submissions: readonly RunEventBody[] = [handed],
): RunState {
  const stored = (bodies: readonly RunEventBody[]) => bodies.map((body, k) => ({...body, at: 2000 + 1000 * k}));
  const whole = foldAll(plan, stored(submissions));
  const states = Object.entries(tasks).map(([task, bodies]) => foldAll(taskPlan(whole, task), stored(bodies)));
  return joined(whole, states);
}

const started = (task: string, attempt = 1): RunEventBody => ({
  ...{event: 'task-started', task, attempt, host: 'n2', job: `7_${Number(task.slice(1))}`, engine: 'cpu', workers: 1},
  selected: [],
});
const ended = (
  task: string,
  state: 'finished' | 'failed' | 'stopped',
  {message, attempt = 1}: {message?: string; attempt?: number} = {},
): RunEventBody => ({
  ...{event: 'task-ended', task, attempt, state, seconds: 1},
  ...(message !== undefined && {message}),
});
const step = (trial: string, number: number): RunEventBody => ({
  ...{event: 'step', pack: 1, step: number, trials: [trial], losses: [1], rates: [1e-3], gradNorms: [1]},
});

const queueOf = (tasks: Partial<TaskStatus>[], jobs: Status['jobs'] = []): Status => ({
  ...{state: 'waiting', name: 'many', trials: {}, scheduler: 'slurm', jobs, eta_s: null},
  tasks: tasks.map(one => ({
    ...{task: '', state: 'waiting', attempt: 0, host: null, job: null, reason: null, trials: 4, steps: 0, total: 24},
    ...one,
  })),
});
const rowsOf = (run: RunState, queue?: Status) =>
  taskBranches(run, queue)[0]!.children.map(({label, state, description}) => [label, state, description]);

describe('the tasks of a run in the tree', () => {
  it('are none where one process has the run', () => {
    expect(taskBranches({...plan, tasks: []}, undefined)).toEqual([]);
  });

  it('have their state, node and job from their own files', () => {
    const [first] = plan.tasks[0]!.trials;
    const run = runOf({
      t0001: [started('t0001'), step(first!, 1), step(first!, 2), step(first!, 3)],
      t0002: [started('t0002'), ended('t0002', 'failed', {message: 'no room'})],
      t0003: [started('t0003', 2), ended('t0003', 'stopped', {attempt: 2})],
    });
    const percent = Math.floor((100 * 3) / (4 * stepsOfTrial));
    expect(rowsOf(run)).toEqual([
      ['t0001 lora-r4-b8', 'running', `${percent} % · n2 · job 7_1`],
      ['t0002 pissa-r4-b8', 'failed', 'no room · job 7_2'],
      ['t0003 dora-r4-b8', 'stopped', '0 % · something is left · attempt 2'],
      ['t0004 olora-r4-b8', 'waiting', 'job 7_4'],
    ]);
    expect(taskBranches(run, undefined)[0]).toMatchObject({
      description: '1 running, 1 waiting, 1 stopped, 1 failed',
      state: 'running',
    });
  });

  it('say why they wait, as the queue does, which never unsays what their files say', () => {
    const run = runOf({
      t0001: [started('t0001')],
      t0002: [started('t0002'), ended('t0002', 'finished')],
      t0003: [started('t0003'), ended('t0003', 'stopped')],
    });
    const queue = queueOf([
      {task: 't0001', job: '7_1', reason: 'Priority'},
      {task: 't0002', job: '7_2', reason: 'Priority'},
      {task: 't0003', job: '7_3', reason: 'BeginTime'},
      {task: 't0004', job: '7_4', reason: 'Resources'},
    ]);
    expect(rowsOf(run, queue).map(([, ...rest]) => rest)).toEqual([
      ['running', '0 % · n2 · job 7_1'],
      ['finished', 'n2'],
      ['waiting', 'BeginTime · job 7_3 · after attempt 1'],
      ['waiting', 'Resources · job 7_4'],
    ]);
  });

  it('name no job that the queue no longer has', () => {
    expect(rowsOf(runOf()).map(([, , words]) => words)).toEqual(['job 7_1', 'job 7_2', 'job 7_3', 'job 7_4']);
    expect(rowsOf(runOf(), queueOf([])).map(([, , words]) => words)).toEqual(['', '', '', '']);
  });

  it('have the preparation and the relay behind them while the queue has these', () => {
    const queue = queueOf(
      [],
      [
        {job: '6', kind: 'prepare', state: 'RUNNING', reason: null},
        {job: '7', kind: 'tasks', state: 'PENDING', reason: 'Dependency'},
        {job: '8', kind: 'relay', state: 'PENDING', reason: 'Dependency'},
      ],
    );
    expect(rowsOf(runOf(), queue).slice(4)).toEqual([
      ['preparation', 'running', 'running · job 6'],
      ['relay', 'waiting', 'Dependency · job 8'],
    ]);
    // Up to a minute later the queue may still tell of the preparation.
    const begun = runOf({t0001: [started('t0001')]});
    expect(rowsOf(begun, queue).slice(4)).toEqual([['relay', 'waiting', 'Dependency · job 8']]);
  });
});

describe('a run that was handed to a scheduler', () => {
  const queue = (...jobs: Status['jobs']) => ({scheduler: 'slurm' as const, jobs});
  const relay = {job: '8', kind: 'relay' as const, state: 'PENDING', reason: null};

  it('is awaited while something is left and the queue has a job of it, or was not asked', () => {
    const run = runOf({t0001: [started('t0001'), ended('t0001', 'stopped')]});
    expect(leftOf(run)).toHaveLength(4);
    expect(isAwaited(run, undefined)).toBe(true);
    expect(isAwaited(run, queue(relay))).toBe(true);
    expect(isAwaited(run, queue())).toBe(false);
    // Where Slurm cannot be asked, nobody knows.
    expect(isAwaited(run, {scheduler: null, jobs: []})).toBe(true);
  });

  it('is not where nothing is left, or where it was never handed over', () => {
    const all = Object.fromEntries(
      ['t0001', 't0002', 't0003', 't0004'].map(task => [task, [started(task), ended(task, 'finished')]]),
    );
    expect(isAwaited(runOf(all), queue(relay))).toBe(false);
    expect(isAwaited(runOf({}, []), undefined)).toBe(false);
  });
});
