/** What decides which setting is best, where that is the mean of several evaluations. */
import {mean} from '../../numbers.ts';
import type {Evaluation, RunState, TrialView} from '../fold.ts';

/** `mean of gsm8k and math`. */
export function meanName(tasks: readonly string[]): string {
  return `mean of ${tasks.slice(0, -1).join(', ')} and ${tasks.at(-1)}`;
}

/** The run with the mean of its objective's evaluations as one more result of each trial, at every step that has them all. */
export function withMeans(state: RunState): RunState {
  const {objective} = state;
  if (objective.length < 2) return state;
  return {...state, trials: state.trials.map(view => withMean(view, objective))};
}

function withMean(view: TrialView, tasks: readonly string[]): TrialView {
  const {evaluations} = view;
  const steps = [...new Set(evaluations.map(({step}) => step))];
  const means = steps.flatMap((step): Evaluation[] => {
    const parts = tasks.map(task => evaluations.find(one => one.step === step && one.task === task));
    if (!parts.every(part => part !== undefined)) return [];
    const values = parts.flatMap(({value}) => value ?? []);
    const value = values.length < parts.length ? null : mean(values);
    const {trial, metric, total} = parts[0]!;
    return [{trial, step, task: meanName(tasks), metric, value, correct: null, total}];
  });
  return means.length > 0 ? {...view, evaluations: [...evaluations, ...means]} : view;
}

/** What decides by its name; undefined where the first evaluation does. */
export function objectiveTask({objective}: Pick<RunState, 'objective'>): string | undefined {
  return objective.length < 2 ? objective[0] : meanName(objective);
}

/** The comparisons by what decides first, all others behind them in their order. */
export function objectiveFirst<C extends {task: string}>(
  comparisons: readonly C[],
  state: Pick<RunState, 'objective'>,
): C[] {
  const task = objectiveTask(state);
  if (task === undefined) return [...comparisons];
  const first = comparisons.filter(one => one.task === task);
  return [...first, ...comparisons.filter(one => one.task !== task)];
}
