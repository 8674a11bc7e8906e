/** What a search saw of its rates: training losses of a prefix, which say where to look and nothing of how good a method is. */

import {grouped} from '../../grouped.ts';
import {nameOf} from '../../sweep/sweep.ts';
import type {RunState, TrialView} from '../fold.ts';
import {formatSize} from '../format.ts';
import {settingsInWords} from './conditions.ts';

/** The scans of all methods under one (model, rank, batch size). */
export interface Scan {
  /** As a heading. */
  title: string;
  /** Optimizer steps of the prefix. */
  steps: number;
  /** In the order of the sweep. */
  methods: {method: string; points: ScanPoint[]}[];
}

/** One rate. */
export interface ScanPoint {
  learningRate: number;
  /** Mean training loss at the end of the prefix; null where the training diverged before. */
  loss: number | null;
}

/** One entry a (model, rank, batch size) of which anything is known; none without a search. */
export function scansOf({search, trials}: Pick<RunState, 'search' | 'trials'>): Scan[] {
  if (search === null) return [];
  return [...grouped(trials, titleOf)].flatMap(([title, views]) => {
    const steps = scanStepsIn(views);
    if (steps === null) return [];
    const methods = new Map<string, Map<number, ScanPoint>>();
    for (const view of views) {
      const {learningRate} = view.trial;
      const method = nameOf(view.trial);
      const loss = lossAt(view, steps);
      if (loss === undefined) continue;
      const points = methods.get(method) ?? new Map<number, ScanPoint>();
      methods.set(method, points);
      if (!points.has(learningRate)) points.set(learningRate, {learningRate, loss});
    }
    const sorted = [...methods].map(([method, points]) => ({
      method,
      points: [...points.values()].toSorted((a, b) => a.learningRate - b.learningRate),
    }));
    return [{title, steps, methods: sorted}];
  });
}

function titleOf({trial: {model, rank, batchSize, settings}}: TrialView): string {
  const size = `${formatSize(rank)}, batch size ${batchSize}`;
  return `${model === undefined ? '' : `${model}: `}${[size, ...settingsInWords(settings)].join(', ')}`;
}

/** Where most trials have a tail before their end: one that was stopped somewhere may have another. */
function scanStepsIn(views: readonly TrialView[]): number | null {
  const times = new Map<number, number>();
  for (const {tails, totalSteps, state} of views) {
    for (const step of Object.keys(tails).map(Number))
      if (step < totalSteps && state !== 'diverged') times.set(step, (times.get(step) ?? 0) + 1);
  }
  const [most] = [...times].toSorted(([a, n], [b, m]) => m - n || a - b);
  return most?.[0] ?? null;
}

/** Undefined where the prefix is not known. */
function lossAt({tails, state, steps}: TrialView, at: number): number | null | undefined {
  const loss = tails[at];
  if (loss !== undefined) return loss;
  return state === 'diverged' && steps <= at ? null : undefined;
}
