/** What a search of a sweep goes by. */
import {formatEvaluation} from '../run/format.ts';
import {lowerIsBetter} from '../run/peak.ts';
import type {EvaluationSettings, Sweep} from '../sweep/sweep.ts';
import type {Cell} from './search.ts';
import type {SearchSettings} from './settings.ts';

/** What the best rate is best at: the first result of the evaluation that the sweep names, or of its first one, after the last step. */
export interface Objective {
  /** As the fold names it: `gsm8k`, or `gsm8k on test.jsonl`. */
  task: string;
  /** What its result may be called: a scorer decides whether it gives a score or an accuracy. */
  metrics: readonly string[];
  lowerIsBetter: boolean;
}

/** What methods are compared by, with or without a search. */
export interface ComparisonRules {
  /** In the metric's units; where lower is better, a share of the lower of two values. */
  margin: number;
  objective: Objective;
}

export interface SearchRules extends ComparisonRules {
  search: SearchSettings;
  /** Ids of the trials that are asked for (`--only`); absent: all. */
  selected?: ReadonlySet<string>;
}

/** Of a sweep that says nothing: one point of accuracy, or 1 % of a loss. */
export const usualMargin = 0.01;

/** Null for a sweep whose trials are all trained whole. */
export function rulesOf(sweep: Pick<Sweep, 'search' | 'verdict' | 'evaluate' | 'objective'>): SearchRules | null {
  const rules = comparisonRules(sweep);
  return sweep.search && rules ? {search: sweep.search, ...rules} : null;
}

/** Null for a sweep without an evaluation. */
export function comparisonRules({
  verdict,
  evaluate,
  objective,
}: Pick<Sweep, 'verdict' | 'evaluate' | 'objective'>): ComparisonRules | null {
  const [wanted] = objective ?? [];
  const first = evaluate.find(({task, entry}) => formatEvaluation(task, entry) === wanted) ?? evaluate[0];
  return first ? {margin: verdict?.margin ?? usualMargin, objective: objectiveOf(first)} : null;
}

function objectiveOf({task, entry, k = [1]}: EvaluationSettings): Objective {
  const metrics = metricsOf(task, k[0]!);
  return {task: formatEvaluation(task, entry), metrics, lowerIsBetter: metrics.every(lowerIsBetter)};
}

function metricsOf(task: EvaluationSettings['task'], k: number): string[] {
  if (task === 'loss') return ['loss'];
  if (task === 'custom') return ['score', 'accuracy'];
  return [task === 'humaneval' || task === 'mbpp' ? `pass@${k}` : 'accuracy'];
}

/** The least updates that a scan takes: fewer say nothing. */
const fewestScanSteps = 12;

/** Updates that a rate is trained for before one is chosen; never so few that the rate still rises, never above half of all. */
export function scanStepsOf({steps, warmUp}: Pick<Cell, 'steps' | 'warmUp'>, {scan}: SearchSettings): number {
  return Math.min(Math.floor(steps / 2), Math.max(Math.ceil(scan * steps), 2 * warmUp, fewestScanSteps));
}
