/** What a sweep's run folder says of it, in brief. */
import {curvatureByMethod} from '../../core/run/curvature.ts';
import {compare} from '../../core/run/verdict.ts';
import type {Results} from '../../core/sweep/inspection.ts';
import {hasRun, readRun, runFolderOf} from '../store/run.ts';

/** Null where the sweep has not run. */
export async function resultsOf(file: string, name: string): Promise<Results | null> {
  const folder = runFolderOf(file, name);
  if (!hasRun(folder)) return null;
  const {state, live} = await readRun(folder);
  const peaks = compare(state).flatMap(({task, metric, rank, batchSize, curves}) =>
    curves.flatMap(({peak}) => (peak ? [{...peak, task, metric, rank, batchSize}] : [])),
  );
  return {
    folder,
    live,
    done: state.trials.flatMap(view => (view.state === 'finished' || view.state === 'diverged' ? [view.trial.id] : [])),
    peaks,
    sharpness: curvatureByMethod(state).map(({method, rank, lambdaMax}) => ({method, rank, median: lambdaMax})),
  };
}
