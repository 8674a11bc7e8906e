import {formatEvaluation} from '../../core/run/format.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import type {Generated} from '../generation/answers.ts';
import {keptAnswers} from '../store/answers.ts';
import type {OpenRun} from '../store/run.ts';
import type {Prepared} from './prepare.ts';

/**
 * Of a trial that goes on from a step: answers that the last start did not come to judge, and the evaluations at that step that
 * have a result or wait for one.
 */
export function left(
  checkpoints: string,
  {id}: Trial,
  from: number,
  {sweep}: Prepared,
  {earlier}: OpenRun,
): {answers: Generated[]; evaluated: number[]} {
  const answers = keptAnswers(checkpoints, id).filter(({step}) => step <= from);
  const results = earlier.trials[earlier.places[id] ?? -1]?.evaluations ?? [];
  const evaluated = sweep.evaluate.flatMap(({task, entry}, index) => {
    const waits = answers.some(({step, evaluation}) => step === from && evaluation === index);
    const known = results.some(one => one.step === from && one.task === formatEvaluation(task, entry));
    return waits || known ? [index] : [];
  });
  return {answers, evaluated};
}

/** Finished and diverged trials are not trained again. */
export function isDone({earlier}: OpenRun, {id}: Trial): boolean {
  const state = earlier.trials[earlier.places[id] ?? -1]?.state;
  return state === 'finished' || state === 'diverged';
}
