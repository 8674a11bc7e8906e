/** What a search may look at, from the fold of a run's events. */
import type {RunState, TrialView} from '../run/fold.ts';
import {tailMean, upTo} from '../run/series/series.ts';
import {nothingKnown} from './known.ts';
import {type ComparisonRules, type SearchRules, scanStepsOf} from './rules.ts';
import type {Cell, TrialFacts} from './search.ts';

/** The facts of a cell's trials by their ids; a trial that the run does not know yet is `waiting`. */
export function factsOf(
  cell: Cell,
  state: Pick<RunState, 'trials' | 'places'>,
  rules: Pick<ComparisonRules, 'objective'> & Partial<Pick<SearchRules, 'search'>>,
): ReadonlyMap<string, TrialFacts> {
  const scanSteps = rules.search ? scanStepsOf(cell, rules.search) : cell.steps;
  const facts = new Map<string, TrialFacts>();
  for (const {id} of cell.trials.flat()) {
    const view = state.trials[state.places[id] ?? -1];
    facts.set(id, view ? trialFacts(view, {scanSteps, steps: cell.steps}, rules) : nothingKnown);
  }
  return facts;
}

function trialFacts(
  view: TrialView,
  at: {scanSteps: number; steps: number},
  {objective}: Pick<ComparisonRules, 'objective'>,
): TrialFacts {
  const last = view.evaluations.find(
    ({step, task, metric}) => step === at.steps && task === objective.task && objective.metrics.includes(metric),
  );
  // An end that cannot be measured is as bad as none.
  const isLost = view.state === 'finished' && last !== undefined && last.value === null;
  return {
    state: isLost ? 'diverged' : view.state,
    steps: view.steps,
    // Of a bucket of several steps: the first loss is about the largest.
    firstLoss: view.losses.maxima[0] ?? null,
    scanTail: tailAt(view, at.scanSteps),
    endTail: tailAt(view, at.steps),
    metric: last?.value ?? null,
    ...(last?.right !== undefined && {right: last.right}),
  };
}

/**
 * The tail as it was stored; else from the curve, to whole buckets. A curve that still grows has no such tail: its buckets merge,
 * and the same question would get another answer later.
 */
function tailAt(view: TrialView, step: number): number | null {
  const stored = view.tails[step];
  if (stored !== undefined) return stored;
  if (view.state === 'running' || view.steps < step || step === 0) return null;
  // Stopped right there, it has not paused yet: what was due at that step may be missing.
  if (view.state === 'stopped' && view.steps === step) return null;
  return tailMean(upTo(view.losses, step), Math.max(0.1, 3 / step));
}
