/**
 * A search whose cells are cut over tasks, so that trials of one cell are trained on several machines: it goes by rounds. A task trains
 * what its cell wants of its own trials by what all tasks have stored, and ends; when all have, whoever starts tasks asks anew which
 * ones are wanted. Decisions follow from what is stored, in whatever order, so that the trials are those of one machine.
 */
import {grouped} from '../grouped.ts';
import type {RunState} from '../run/fold.ts';
import {cellsOfTask, type Task} from '../run/tasks/tasks.ts';
import {isTrial, type Sweep} from '../sweep/sweep.ts';
import {cellsOf} from './cells.ts';
import {decideAll} from './decide-all.ts';
import {rulesOf} from './rules.ts';

/** Whether a cell is shared by several tasks. */
export function areCut(tasks: readonly Task[]): boolean {
  return [...grouped(tasks, ({cell}) => cell).values()].some(own => own.length > 1);
}

/**
 * The tasks that have something to do now: those with trials that their cell wants, and all of a cell that has chosen, which only end.
 * Null where every task has: in a grid, or where each has a cell of its own.
 */
export function wantedTasks(
  sweep: Sweep,
  {tasks, trials, places, curvature, added, pinned}: RunState,
): Set<string> | null {
  const rules = rulesOf(sweep);
  if (!rules || !pinned || !areCut(tasks)) return null;
  // No cell waits for another one where all are scanned side by side.
  const {start: _, ...search} = rules.search;
  const further = new Set(added);
  const own = trials.flatMap(({trial}) => (further.has(trial.id) || !isTrial(trial) ? [] : [trial]));
  const decisions = decideAll(cellsOf(own, pinned.steps, sweep), {trials, places, curvature}, {...rules, search});
  const chosen = new Set(decisions.flatMap(({cell, stage}) => (stage === 'done' ? [cell] : [])));
  const wanted = new Set(decisions.flatMap(decision => decision.wanted.map(({trial}) => trial)));
  const isWanted = (task: Task) =>
    cellsOfTask(task).every(cell => chosen.has(cell)) || task.trials.some(id => wanted.has(id));
  return new Set(tasks.filter(isWanted).map(({task}) => task));
}
