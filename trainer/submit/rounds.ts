/** Which tasks of a run have something to do now: all, but in a search whose cells are cut over tasks. */
import {SweepError} from '../../core/error.ts';
import type {RunState} from '../../core/run/fold.ts';
import {areCut, wantedTasks} from '../../core/search/rounds.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {sourceOfRun} from '../run/tasks/part.ts';
import type {Handing} from './left.ts';

/** Null where that is all of them. @throws SweepError `bad-manifest` */
export function wantedIn(folder: string, state: RunState): Set<string> | null {
  return state.search && areCut(state.tasks) ? wantedTasks(sweepOf(sourceOfRun(folder).file), state) : null;
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
