/** What a sweep's run folder says of it, in brief. */

import {curvatureByMethod} from '../../core/run/compare/curvature.ts';
import {isEnded} from '../../core/run/events.ts';
import {countedRun} from '../../core/run/trials/dropped-trials.ts';
import {seenBy, storedTrials, trialsOf} from '../../core/run/trials/known-trials.ts';
import {compare} from '../../core/run/verdict.ts';
import {isSettled} from '../../core/search/comparing/settled.ts';
import type {Fault, Results} from '../../core/sweep/inspection.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {hasRun, readRun, runFolderOf} from '../store/run.ts';
import {editFaults} from './edits.ts';

/**
 * Null where the sweep has not run. Trials that the sweep does not have (any more) are stored, but decide nothing. `faults`: what of the
 * file keeps the run from going on.
 */
export async function resultsOf(file: string, sweep: Sweep): Promise<{results: Results; faults: Fault[]} | null> {
  const folder = runFolderOf(file, sweep.name);
  if (!hasRun(folder)) return null;
  const run = await readRun(folder);
  const {live} = run;
  const trials = trialsOf(sweep, run.state);
  const state = countedRun(seenBy(run.state, trials));
  const peaks = compare(state).flatMap(({task, metric, rank, batchSize, curves}) =>
    curves.flatMap(({peak}) => (peak ? [{...peak, task, metric, rank, batchSize}] : [])),
  );
  const results: Results = {
    folder,
    live,
    stored: storedTrials(run.state),
    done: state.trials.flatMap(view => (isEnded(view.state) ? [view.trial.id] : [])),
    settled: isSettled(sweep, trials, run.state),
    hasTasks: run.state.tasks.length > 0,
    peaks,
    sharpness: curvatureByMethod(state).map(({method, rank, lambdaMax}) => ({method, rank, median: lambdaMax})),
  };
  return {results, faults: editFaults(folder, run.state, sweep, trials)};
}
