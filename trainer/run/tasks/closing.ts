/** What comes after the last task of a run: the words on methods may ask for more in any of them, and whoever comes last trains that. */
import {isEnded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {cellsOfTask} from '../../../core/run/tasks/tasks.ts';
import {stepsKey} from '../../../core/sweep/axes/axes.ts';
import {isTrial, type Sweep, type Trial} from '../../../core/sweep/sweep.ts';
import type {Plan} from '../../store/tasks/plan-file.ts';
import {readFolder} from '../../store/tasks/read-folder.ts';
import {isTaskLive} from '../../store/tasks/task-files.ts';
import {whenSpoken} from '../../store/tasks/waiting.ts';
import {agendaOf, comparedBy} from '../search/plans.ts';
import type {Stepping} from '../work.ts';

export interface Closing {
  folder: string;
  plan: Pick<Plan, 'event'>;
  sweep: Sweep;
  /** Milliseconds without a word after which whoever has claimed the first task counts as gone. */
  silent?: number;
}

/**
 * Once every cell has ended: the attempts of the first task by then, behind which the next one is claimed by one process only. Null
 * where nothing is asked for, or others are still at work. @throws SweepError `stopped`
 */
export async function closingAttempt(
  {folder, plan, sweep, silent}: Closing,
  signal: AbortSignal,
): Promise<number | null> {
  const {search, verdict, tasks} = plan.event;
  if (!(search || verdict?.seeds !== undefined)) return null;
  // Looked at before the run: whoever claims the task since is found out by the claim.
  const attempt = await whenSpoken(folder, tasks[0]!.task, signal, silent);
  const {state} = await readFolder(folder, undefined, true);
  if (state.tasks.some(view => view.state === 'running' && isTaskLive(folder, view))) return null;
  return (await asksForMore(folder, sweep, state)) ? attempt : null;
}

/**
 * Whether all trials of a run of tasks have ended, and the words on its methods ask for more.
 * @param state of the folder; curves may be missing
 */
export async function asksForMore(folder: string, sweep: Sweep, state: RunState): Promise<boolean> {
  const {search, verdict, selected, pinned} = state;
  const own = trialsOfFile(state);
  if (!(search || verdict?.seeds !== undefined) || !pinned || selected.length < own.length) return false;
  // Of a cell that is cut over tasks, those that nothing was wanted of are begun to end, and one of them comes last.
  if (state.tasks.some(({attempt}) => attempt === 0)) return false;
  const isChosen = (cell: string) => state.searched.some(one => one.cell === cell && one.stage === 'done');
  const isTrained = () => own.every(({id}) => isEnded(state.trials[state.places[id] ?? -1]?.state ?? 'waiting'));
  if (!(search ? state.tasks.every(task => cellsOfTask(task).every(isChosen)) : isTrained())) return false;
  const {state: whole} = await readFolder(folder);
  const prepared: Stepping = {sweep, of: trial => ({steps: () => pinned.steps[stepsKey(trial)] ?? 0})};
  const part = {probes: () => false, isWhole: true, isSelected: false};
  const store = {earlier: whole, state: () => whole};
  const run = {prepared, trials: own, store, options: {only: [], part}, emit: () => {}};
  return agendaOf(run, comparedBy(run, own), new Map(), {packs: [], side: 1}).next().length > 0;
}

function trialsOfFile({trials, added}: RunState): Trial[] {
  const further = new Set(added);
  return trials.flatMap(({trial}) => (isTrial(trial) && !further.has(trial.id) ? [trial] : []));
}
