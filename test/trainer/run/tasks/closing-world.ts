/** Runs of two tasks that come to their end, after which the words on their methods ask for more seeds; nothing is trained. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {emptyRun, fold} from '../../../../core/run/fold.ts';
import {formatLine} from '../../../../core/run/line.ts';
import {tasksOf} from '../../../../core/run/tasks/tasks.ts';
import {readSweep} from '../../../../core/sweep/read.ts';
import {expandTrials} from '../../../../core/sweep/trials.ts';
import {agendaOf, comparedBy} from '../../../../trainer/run/search/plans.ts';
import {closingAttempt} from '../../../../trainer/run/tasks/closing.ts';
import {type OpenTasks, openTasks} from '../../../../trainer/store/tasks/open-tasks.ts';
import type {Plan} from '../../../../trainer/store/tasks/plan-file.ts';
import {chance} from '../../store/tasks/world.ts';

export const sweep = readSweep(`model: m
data: {train: a.jsonl}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: [1e-3, 2e-3]
seeds: [1, 2]
training: {steps: 6}
evaluate: {task: loss, data: b.jsonl}
verdict: {margin: 1%, seeds: 6}
`).sweep!;
const steps = 6;
const trials = expandTrials(sweep);

function planOf(): Plan {
  const pinned = {engine: 'cpu', precision: 'float32', microBatch: {}, recompute: false, steps: {'8': steps}} as const;
  const event: Plan['event'] = {
    ...{event: 'run-started', at: 0, name: 's', trials, engine: 'cpu', reason: 'r', workers: 0, resumed: false},
    ...{steps: {'8': steps}, verdict: sweep.verdict!, tasks: tasksOf(trials), pinned},
  };
  return {event, state: fold(emptyRun, event)};
}

export const plan = planOf();
export const taskNames = plan.event.tasks.map(({task}) => task);

/** The plan in a folder. */
export function begin(folder: string): void {
  mkdirSync(join(folder, 'events'), {recursive: true});
  writeFileSync(join(folder, 'events.jsonl'), formatLine(plan.event));
}

export function open(folder: string, tasks: readonly string[], again?: number): Promise<OpenTasks | null> {
  return openTasks({
    ...{folder, plan, tasks, notes: [], job: undefined, engine: 'cpu', workers: 1},
    ...{signal: new AbortController().signal, stored: () => {}, failed: () => {}, waits: () => {}},
    ...(again !== undefined && {again}),
  });
}

/** A loss that depends on the trial alone; by so few seeds the methods are not told apart. */
function lossOf(id: string): number {
  const seed = [...id].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
  return (id.includes('lr2.00e-3') ? 1.5 : 2) + 0.3 * chance(seed)();
}

/** Says that a trial was trained. */
export function train(store: OpenTasks, trial: string): void {
  const loss = lossOf(trial);
  const evaluated = {task: 'loss', metric: 'loss', value: loss, correct: null, total: 10};
  store.append({event: 'trial-started', trial, steps, worker: 0});
  store.append({event: 'step', trials: [trial], step: steps, losses: [loss], rates: [1e-3], gradNorms: [1]});
  store.append({event: 'evaluation', trial, step: steps, ...evaluated});
  store.append({event: 'trial-ended', trial, state: 'finished', steps, tail: loss, seconds: 1});
}

export function end(store: OpenTasks): void {
  store.append({event: 'run-ended', state: 'finished', seconds: 1});
  store.close();
}

/** All trials of tasks that are open. */
export function trainAll(store: OpenTasks): void {
  for (const {trial} of store.state().trials) train(store, trial.id);
}

/** What a part does behind its last task; how often it was the one that trained what was asked for. */
export async function close(folder: string, silent?: number): Promise<number> {
  const {signal} = new AbortController();
  for (let times = 0; ; ) {
    const again = await closingAttempt({folder, plan, sweep, ...(silent !== undefined && {silent})}, signal);
    if (again === null) return times;
    const store = await open(folder, taskNames, again);
    if (store === null) continue;
    times++;
    const part = {probes: () => false, isWhole: true, isSelected: false};
    const prepared = {sweep, of: () => ({steps: () => steps})};
    const emit = (body: Parameters<OpenTasks['append']>[0]) => void store.append(body);
    const run = {prepared, trials, store, options: {only: [], part}, emit};
    const agenda = agendaOf(run, comparedBy(run, trials), new Map(), {packs: [], side: 1});
    for (let portions = agenda.next(); portions.length > 0; portions = agenda.next())
      for (const portion of portions) for (const {id} of portion.trials) train(store, id);
    end(store);
  }
}
