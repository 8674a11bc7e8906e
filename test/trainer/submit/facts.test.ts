/** What a relay goes by, out of what a run's folder says. */
import {describe, expect, it} from 'vitest';
import {emptyRun, type RunState} from '../../../core/run/fold.ts';
import {elementOf} from '../../../core/run/tasks/elements.ts';
import {type TaskView, waitingTask} from '../../../core/run/tasks/task-views.ts';
import {decide} from '../../../trainer/submit/decide.ts';
import {askedTasks, nextRound, relayFacts} from '../../../trainer/submit/facts.ts';
import {busyTasks} from '../../../trainer/submit/left.ts';
import type {QueuedJob} from '../../../trainer/submit/slurm/commands.ts';

const task = (name: string, more: Partial<TaskView> = {}): TaskView => ({
  ...waitingTask({task: name, cell: name, trials: [`${name}-a`]}),
  ...more,
});
const filed = (job: string, round: number, tasks: string[], more: Partial<RunState['submitted'][number]> = {}) => ({
  ...{at: 0, to: 'slurm', job, tasks, round, done: 10 * round},
  ...more,
});
const run = (tasks: TaskView[], submitted: RunState['submitted'] = []): RunState => ({
  ...emptyRun,
  tasks,
  submitted,
  selected: tasks.flatMap(({trials}) => trials),
});
const settings = {retryFailed: 1, cancelled: null, closing: null};

describe('the facts of a relay', () => {
  it('begin anew where somebody submits by hand; a round of several arrays counts once', () => {
    const tasks = ['t0001', 't0002'];
    const relayed = {by: 'relay' as const, retried: ['t0001']};
    const state = run(
      [task('t0001', {state: 'failed'}), task('t0002')],
      [
        filed('1', 1, tasks),
        filed('2', 2, tasks, relayed),
        filed('3', 3, ['t0001'], {retried: ['t0001']}),
        filed('4', 3, ['t0002']),
        filed('5', 4, ['t0001'], relayed),
      ],
    );
    const {rounds, tasks: known} = relayFacts(state, settings);
    expect(rounds).toEqual([30, 40]);
    expect(known).toEqual([
      {task: 't0001', state: 'failed', retries: 1},
      {task: 't0002', state: 'waiting', retries: 0},
    ]);
    expect(nextRound(state)).toBe(5);
  });

  it('have the task left that is started again for what the words on methods ask for', () => {
    const state = run([task('t0001', {state: 'finished'}), task('t0002', {state: 'finished'})], []);
    const facts = (closing: string | null) => decide(relayFacts(state, {...settings, closing}));
    expect(facts(null)).toEqual({kind: 'end'});
    expect(facts('t0001')).toEqual({kind: 'again', tasks: ['t0001']});
  });

  it('leave out tasks with nothing to train', () => {
    const state = {...run([task('t0001'), task('t0002')]), selected: ['t0002-a']};
    expect(askedTasks(state).map(one => one.task)).toEqual(['t0002']);
    expect(relayFacts(state, settings).tasks).toHaveLength(1);
  });
});

describe("a task's element", () => {
  it('is that of its last job, where elements are shifted as well', () => {
    const submitted = [filed('1', 1, ['t0001', 't1002']), filed('7', 2, ['t1002'], {offset: 1000})];
    expect(elementOf(submitted, 't0001')).toBe('1_1');
    expect(elementOf(submitted, 't1002')).toBe('7_2');
    expect(elementOf(submitted, 't0003')).toBeNull();
  });
});

describe('tasks that are left alone', () => {
  const queued = (job: string, state: string): QueuedJob => ({job, state, reason: null, node: null});
  const running = {state: 'running' as const, attempt: 1};
  const state = run(
    [task('t0001'), task('t0002', {...running, job: '1_2'}), task('t0003', running), task('t0004')],
    [filed('1', 1, ['t0001', 't0002', 't0003', 't0004'])],
  );

  it('wait in the queue, or are worked on outside of it; what a lost node wrote last does not count', () => {
    const queue = [queued('1_1', 'PENDING'), queued('1_2', 'NODE_FAIL'), queued('1_4', 'FAILED')];
    expect([...busyTasks(state, queue)]).toEqual(['t0001', 't0003']);
  });

  it('are those that look alive, where there is no queue to ask', () => {
    expect([...busyTasks(state, null)]).toEqual(['t0002', 't0003']);
  });
});
