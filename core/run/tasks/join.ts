/**
 * A run of several tasks from what each of them came to. The run is the fold of its plan and of each task's attempts, one file
 * after another; tasks have no trial in common, so each is folded by itself and in any order.
 */

import type {SearchStage} from '../../search/search.ts';
import {placesOf, type RunState, type TrialView, withCurvature, withNote} from '../fold.ts';
import {together} from './task-views.ts';

/** The plan as one task sees it: its own trials. Its attempts are folded onto this. */
export function taskPlan(plan: RunState, name: string): RunState {
  return {...partOfPlan(plan, [name]), submitted: []};
}

/** The plan with some of its tasks only. A run may have thousands: each costs what it has itself. */
export function partOfPlan(plan: RunState, names: readonly string[]): RunState {
  const chosen = new Set(names);
  const tasks = plan.tasks.filter(({task}) => chosen.has(task));
  const ids = tasks.flatMap(({trials}) => trials);
  const trials = ids.flatMap(id => plan.trials[plan.places[id] ?? -1] ?? []);
  const selected = selectedOf(plan);
  return {...plan, tasks, trials, places: placesOf(trials), selected: ids.filter(id => selected.has(id))};
}

const selections = new WeakMap<readonly string[], ReadonlySet<string>>();

function selectedOf({selected}: RunState): ReadonlySet<string> {
  const known = selections.get(selected) ?? new Set(selected);
  selections.set(selected, known);
  return known;
}

/**
 * The run of a plan and what its tasks came to, in any order; tasks that are missing have not begun.
 * @param tasks each folded from its `taskPlan`
 */
export function joined(plan: RunState, tasks: readonly RunState[]): RunState {
  const byName = new Map(tasks.map(state => [state.tasks[0]?.task, state]));
  const parts = plan.tasks.flatMap(({task}) => byName.get(task) ?? []);
  const views = plan.tasks.map(view => byName.get(view.task)?.tasks[0] ?? view);
  const trials = trialsOf(plan, parts);
  const begun = parts.filter(({tasks: [view]}) => view!.attempt > 0);
  return {
    ...plan,
    ...together(views, plan.selected),
    tasks: views,
    task: null,
    trials,
    places: placesOf(trials),
    lastAt: parts.reduce((last, part) => latest(last, part.lastAt), plan.lastAt),
    added: [...new Set([plan, ...parts].flatMap(({added}) => added))],
    asked: parts.reduce((sum, {asked}) => sum + asked - plan.asked, plan.asked),
    curvature: parts.flatMap(({curvature}) => curvature).reduce(withCurvature, plan.curvature),
    notes: parts.flatMap(({notes}) => notes).reduce(withNote, plan.notes),
    memory: parts.reduce(memoryOf, plan.memory),
    preparing: begun.at(-1)?.preparing ?? null,
    searched: latestOf([plan, ...parts].flatMap(({searched}) => searched)),
    challenged: [...plan.challenged, ...parts.flatMap(({challenged}) => challenged)],
  };
}

function trialsOf(plan: RunState, parts: readonly RunState[]): TrialView[] {
  const known = new Map(parts.flatMap(({trials}) => trials).map(view => [view.trial.id, view]));
  const own = plan.trials.map(view => known.get(view.trial.id) ?? view);
  const further = [...known.values()].filter(({trial}) => plan.places[trial.id] === undefined);
  return [...own, ...further];
}

const stages: readonly SearchStage[] = ['scan', 'pair', 'walk', 'seeds', 'again', 'done'];

/** Of a cell that is cut over tasks, what came of it last: each of them tells what it went by. */
function latestOf(searched: RunState['searched']): RunState['searched'] {
  const latest = new Map<string, RunState['searched'][number]>();
  for (const one of searched) {
    const before = latest.get(one.cell);
    if (!before || stages.indexOf(one.stage) >= stages.indexOf(before.stage)) latest.set(one.cell, one);
  }
  return [...latest.values()];
}

/** What a run had come to, with what some of its trials have come to since. */
export function overlaid(run: RunState, own: RunState): RunState {
  const trials = trialsOf(run, [own]);
  const {curvature} = own;
  return {...run, trials, places: placesOf(trials), curvature: curvature.reduce(withCurvature, run.curvature)};
}

function memoryOf(memory: RunState['memory'], {memory: own}: RunState): RunState['memory'] {
  return own === null ? memory : {bytes: own.bytes, peak: Math.max(own.peak, memory?.peak ?? 0)};
}

const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);
