/** Which tasks of a run have something to do now: all that are left, but in a search whose cells are cut over tasks. */
import {SweepError} from '../../core/error.ts';
import type {RunState} from '../../core/run/fold.ts';
import {areCut, wantedTasks} from '../../core/search/rounds.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {asksForMore} from '../run/tasks/closing.ts';
import {sourceOfRun} from '../run/tasks/part.ts';
import {readRun} from '../store/run.ts';
import type {Handing} from './left.ts';

/** Null where that is all of them. `state`: curves may be missing. @throws SweepError `bad-manifest` */
export async function wantedIn(folder: string, {search, tasks}: RunState): Promise<Set<string> | null> {
  if (!search || !areCut(tasks)) return null;
  const {state} = await readRun(folder);
  return wantedTasks(sweepOf(sourceOfRun(folder).file), state);
}

/**
 * The task to start again where all have ended, the words on methods ask for more, and whoever came last was killed before it got to
 * that; null where nothing is missing. @throws SweepError `bad-manifest`
 */
export async function closingTask(folder: string, state: RunState): Promise<string | null> {
  const {search, verdict, tasks} = state;
  if (!(search || verdict?.seeds !== undefined) || tasks.some(view => view.state !== 'finished')) return null;
  return (await asksForMore(folder, sweepOf(sourceOfRun(folder).file), state)) ? tasks[0]!.task : null;
}

/**
 * Rounds need a relay that files the next one, and all trials of a cell.
 * @throws SweepError `usage`
 */
export function refuseNoRounds({to, relay}: Handing & {to: string}, only: readonly string[]): void {
  const without =
    to !== 'slurm' ? `--to ${to}` : relay ? (only.length > 0 ? `--only ${only.join(' ')}` : undefined) : '--no-relay';
  if (without === undefined) return;
  throw new SweepError(
    'usage',
    `${without} and --per-task: a search whose methods are cut over several tasks goes by rounds of the relay, over all of their rates; leave --per-task out, and each method is a task.`,
  );
}
