/** What trials are measured by, and what each of them came to. */
import type {RunState, TrialView} from '../fold.ts';
import {tailMean} from '../series/series.ts';

export interface Measure {
  task: string;
  metric: string;
}

/** The task of a sweep without evaluations: the loss of the training itself, averaged over the last tenth of the steps. */
export const training: Measure = {task: 'training', metric: 'loss'};

/** Whether a sweep evaluates: one that does is not compared by its training loss. */
export function evaluates({trials}: Pick<RunState, 'trials'>): boolean {
  return trials.some(view => view.evaluations.length > 0);
}

/** Everything that any trial or aggregate was measured by, each once. */
export function measuresOf(state: Pick<RunState, 'trials' | 'aggregates'>): Measure[] {
  const own = evaluates(state) ? state.trials.flatMap(({evaluations}) => evaluations) : [training];
  const all = [...own, ...state.aggregates].map(({task, metric}) => ({task, metric}));
  return [...new Map(all.map(one => [JSON.stringify(one), one])).values()];
}

/** The trial's latest evaluation. */
export function latest(
  {evaluations, losses}: TrialView,
  {task, metric}: Measure,
): {value?: number | null; right?: string} {
  if (task === training.task) return {value: tailMean(losses, 0.1)};
  const matching = evaluations.filter(one => one.task === task && one.metric === metric);
  const last = Math.max(...matching.map(one => one.step));
  return matching.find(one => one.step === last) ?? {};
}
