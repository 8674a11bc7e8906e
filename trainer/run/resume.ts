import {isEnded} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import {formatEvaluation} from '../../core/run/format.ts';
import {askedOf} from '../../core/sweep/only.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';
import type {Generated} from '../generation/answers.ts';
import {keptAnswers} from '../store/answers.ts';
import type {OpenRun} from '../store/run.ts';
import type {UnderWay} from './under-way.ts';

/** Answers of a trial up to a step that the last start did not come to judge. */
export function leftAnswers(checkpoints: string, {id}: Trial, from: number): Generated[] {
  return keptAnswers(checkpoints, id).filter(({step}) => step <= from);
}

/** The evaluations of a trial at the step where it goes on that have a result or wait for one. */
export function evaluatedAt(
  {trial: {id}, step: from}: {trial: Trial; step: number},
  checkpoints: string,
  {evaluate}: Pick<Sweep, 'evaluate'>,
  {trials, places}: RunState,
): number[] {
  const answers = keptAnswers(checkpoints, id);
  const results = trials[places[id] ?? -1]?.evaluations ?? [];
  return evaluate.flatMap(({task, entry}, index) => {
    const waits = answers.some(({step, evaluation}) => step === from && evaluation === index);
    const known = results.some(one => one.step === from && one.task === formatEvaluation(task, entry));
    return waits || known ? [index] : [];
  });
}

/** Finished and diverged trials are not trained again. */
export function isDone({earlier}: OpenRun, {id}: Trial): boolean {
  const state = earlier.trials[earlier.places[id] ?? -1]?.state;
  return state !== undefined && isEnded(state);
}

/** Whether an earlier start has trained something of it. */
export function hasBegun({earlier}: OpenRun, {id}: Trial): boolean {
  return (earlier.trials[earlier.places[id] ?? -1]?.steps ?? 0) > 0;
}

/** Of these trials those that start again, whatever is stored of them: all for a rerun, else diverged ones that are asked for as such. */
export function startingAgain({store, trials, options}: Pick<UnderWay, 'store' | 'trials' | 'options'>): Set<string> {
  const {only, rerun = false} = options;
  const asksForDiverged = askedOf('state', only).includes('diverged');
  const {trials: views, places} = store.earlier;
  const again = trials.filter(({id}) => {
    const state = views[places[id] ?? -1]?.state ?? 'waiting';
    return state !== 'waiting' && (rerun || (asksForDiverged && state === 'diverged'));
  });
  return new Set(again.map(({id}) => id));
}
