import {describe, expect, it} from 'vitest';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {joined, taskPlan} from '../../../core/run/tasks/join.ts';
import {searchedBeside, tasksOf} from '../../../core/run/tasks/tasks.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import {areCut, wantedTasks} from '../../../core/search/rounds.ts';
import {rulesOf} from '../../../core/search/rules.ts';
import {stepsKey} from '../../../core/sweep/axes/axes.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

const text = `model: m
data: {train: a.jsonl}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: [1e-4, 1e-3, 3e-3, 1e-2]
seeds: [1, 2]
training: {steps: 40}
evaluate: {task: loss, data: b.jsonl}
`;
const sweep = readSweep(`${text}search: halving\n`).sweep!;
const trials = expandTrials(sweep);
const steps = {'8': 40};

function planned(perTask?: number, of = {sweep, trials, steps: steps as Record<string, number>}): RunState {
  const {sweep, trials, steps} = of;
  const pinned = {engine: 'cpu', precision: 'float32', recompute: false, microBatch: {}, steps} as const;
  const event: RunEventBody = {
    ...{event: 'run-started', name: 's', trials, engine: 'cpu', reason: 'r', workers: 0, resumed: false, steps, pinned},
    search: sweep.search!,
    tasks: tasksOf(trials, {perTask}, searchedBeside(sweep)),
    ...(sweep.tune && {tune: sweep.tune}),
  };
  return foldAll(emptyRun, [{...event, at: 0}]);
}

/** Of each task what is said to have become of its trials. */
function ended(plan: RunState, ends: Record<string, 'diverged' | 'finished'>): RunState {
  const parts = plan.tasks.map(({task, trials: own}) =>
    foldAll(
      taskPlan(plan, task),
      own.flatMap(trial =>
        ends[trial] ? [{event: 'trial-ended', trial, state: ends[trial], steps: 40, seconds: 1, at: 1} as const] : [],
      ),
    ),
  );
  return joined(plan, parts);
}

describe('a search cut over tasks', () => {
  const plan = planned(1);

  /** As one machine would go on from there. */
  const wantedOnOne = (state: RunState) =>
    decideAll(cellsOf(trials, steps, sweep), state, rulesOf(sweep)!).flatMap(({wanted}) =>
      wanted.map(({trial}) => trial),
    );
  const tasksOfTrials = (ids: readonly string[]) =>
    plan.tasks.filter(task => task.trials.some(id => ids.includes(id))).map(({task}) => task);

  it('begins with the tasks of the rates that it scans, by their first seed', () => {
    expect(areCut(plan.tasks)).toBe(true);
    const scanned = wantedOnOne(plan);
    expect(scanned.length).toBeGreaterThan(2);
    expect(scanned.every(id => id.endsWith('-s1'))).toBe(true);
    expect(wantedTasks(sweep, plan)).toEqual(new Set(tasksOfTrials(scanned)));
  });

  it('leaves all tasks of a method that has chosen to end, and of the others those that are wanted', () => {
    const first = trials.filter(({method, seed}) => method === 'lora' && seed === 1).map(({id}) => id);
    const state = ended(plan, Object.fromEntries(first.map(id => [id, 'diverged' as const])));
    const lora = plan.tasks.filter(({cell}) => cell === 'lora-r4-b8').map(({task}) => task);
    const others = tasksOfTrials(wantedOnOne(state).filter(id => id.startsWith('pissa')));
    expect(others.length).toBeGreaterThan(0);
    expect(wantedTasks(sweep, state)).toEqual(new Set([...lora, ...others]));
  });

  it('has rounds only where a method is shared by several tasks, and never in a grid', () => {
    expect(areCut(planned().tasks)).toBe(false);
    expect(wantedTasks(sweep, planned())).toBeNull();
    expect(wantedTasks(readSweep(text).sweep!, plan)).toBeNull();
  });

  it('has as many rounds where cells of a method decide together', () => {
    const more = 'search: halving\ntune: [learning_rate, training.weight_decay]\n';
    const both = readSweep(`${text.replace('{steps: 40}', '{steps: 40, weight_decay: [0, 0.1]}')}${more}`).sweep!;
    const all = expandTrials(both);
    const each = Object.fromEntries(all.map(trial => [stepsKey(trial), 40]));
    const tuned = planned(4, {sweep: both, trials: all, steps: each});
    const cells = cellsOf(all, each, both);
    expect(cells.map(({group}) => group?.id)).toEqual(['lora-r4-b8', 'lora-r4-b8', 'pissa-r4-b8', 'pissa-r4-b8']);
    const first = all.filter(
      ({method, seed, settings}) => method === 'lora' && seed === 1 && settings!['training.weight_decay'] === '0',
    );
    const state = ended(tuned, Object.fromEntries(first.map(({id}) => [id, 'diverged' as const])));
    const wanted = decideAll(cells, state, rulesOf(both)!).flatMap(one => one.wanted.map(({trial}) => trial));
    // The one that diverged everywhere waits for nobody, and its group for the scan of the other.
    expect(wanted.filter(id => id.startsWith('lora')).every(id => id.includes('-wd0.1-'))).toBe(true);
    const names = tuned.tasks.filter(({trials: own}) => own.some(id => wanted.includes(id))).map(({task}) => task);
    expect(wantedTasks(both, state)).toEqual(new Set(names));
  });

  it('is told of a method by whoever came furthest', () => {
    const told = (task: string, stage: 'scan' | 'pair' | 'done') => {
      const decision = {cell: 'lora-r4-b8', stage, place: null, chosen: null, trials: [], until: 40, why: stage};
      return foldAll(taskPlan(plan, task), [{event: 'searched', ...decision, at: 1}]);
    };
    const run = joined(plan, [told('t0001', 'pair'), told('t0002', 'done'), told('t0003', 'scan')]);
    expect(run.searched.map(({cell, stage}) => [cell, stage])).toEqual([['lora-r4-b8', 'done']]);
  });
});
