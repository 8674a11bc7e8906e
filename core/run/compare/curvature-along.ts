/** The curvature on the way of a training, and over conditions: medians over blocks and seeds, a line a method. */

import {isSameRate} from '../../sweep/recognise.ts';
import {nameOf, type StoredTrial} from '../../sweep/sweep.ts';
import type {Curvature, RunState} from '../fold.ts';
import {type Comparison, compare} from '../verdict.ts';
import {type Axes, axesIn, belongs, type Conditions, conditionsInWords, conditionsOf, settled} from './conditions.ts';
import {
  curvatureByMethod,
  curvatureTables,
  inSweepOrder,
  type MethodCurvature,
  median,
  placedRows,
  startAxes,
} from './curvature.ts';
import {startSettings} from './starts.ts';

/** One method at one of its rates. */
export interface CurvatureLine {
  /** The name that it is compared under. */
  method: string;
  learningRate: number;
  points: CurvaturePoint[];
}

export interface CurvaturePoint {
  /** Updates done; 0 is the start, which all rates share. */
  step: number;
  /** Median λmax over blocks and seeds. */
  lambdaMax: number;
  /** The same as Adam sees it; null at the start, and where it was not found. */
  preconditioned: number | null;
}

export interface CurvatureAlong extends Conditions {
  lines: CurvatureLine[];
}

/**
 * Of every condition that was probed behind the start: each method at its best rate, or, where none is known or it was not probed, at the
 * middle one of its probed rates.
 */
export function curvatureAlong(state: RunState): CurvatureAlong[] {
  const axes = axesIn(state);
  const rows = placedRows(state).filter(({trial}) => trial !== undefined);
  const trials = state.trials.flatMap(({trial}) => (rows.some(row => row.trial === trial.id) ? [trial] : []));
  const groups = new Map(
    trials.map(trial => {
      const group = conditionsOf(trial, axes);
      return [JSON.stringify(group), group] as const;
    }),
  );
  if (trials.length === 0) return [];
  const found = {comparisons: compare(state), ...startsIn(state)};
  return settled([...groups.values()], trials).map(group => {
    const own = trials.filter(trial => belongs(trial, group, axes));
    const methods = [...new Set(own.map(nameOf))];
    return {
      ...group,
      lines: methods.map(method =>
        lineOf(
          found,
          group,
          rows,
          own.filter(one => nameOf(one) === method),
        ),
      ),
    };
  });
}

/** What lines are completed by. */
interface Found extends Starts {
  comparisons: readonly Comparison[];
}

interface Starts {
  entries: readonly MethodCurvature[];
  axes: Axes;
}

function startsIn(state: RunState): Starts {
  const entries = curvatureByMethod(state);
  return {entries, axes: startAxes(entries, state)};
}

function lineOf(
  found: Found,
  group: Conditions,
  rows: readonly Curvature[],
  trials: readonly StoredTrial[],
): CurvatureLine {
  const method = nameOf(trials[0]!);
  const rates = [...new Set(trials.map(({learningRate}) => learningRate))].sort((a, b) => a - b);
  const best = bestRate(found, group, method);
  const learningRate = rates.find(rate => best !== null && isSameRate(rate, best)) ?? rates[rates.length >> 1]!;
  const ids = new Set(trials.flatMap(({id, learningRate: rate}) => (rate === learningRate ? [id] : [])));
  const own = rows.filter(({trial}) => ids.has(trial!));
  const steps = [...new Set(own.map(({step}) => step))].sort((a, b) => a - b);
  const points = steps.map(step => {
    const here = own.filter(row => row.step === step);
    return {
      step,
      lambdaMax: median(here.map(({lambdaMax}) => lambdaMax))!,
      preconditioned: median(here.flatMap(({preconditioned}) => preconditioned ?? [])),
    };
  });
  const start = startOfLine(found, group, method);
  return {method, learningRate, points: [...(start === null ? [] : [start]), ...points]};
}

/** Of the comparison under the same conditions that decides; null where nothing was measured there. */
function bestRate({comparisons}: Found, group: Conditions, method: string): number | null {
  const text = wordsFor(group);
  const own = comparisons.find(
    comparison => wordsFor(comparison) === text && comparison.curves.some(curve => curve.method === method),
  );
  return own?.curves.find(curve => curve.method === method)?.peak?.learningRate ?? null;
}

const wordsFor = (group: Conditions): string => JSON.stringify([group.model, conditionsInWords(group)]);

/** Where the method started under these conditions; null where that was not probed, or differs by a tuned axis. */
function startOfLine({entries, axes}: Starts, {settings, ...group}: Conditions, method: string): CurvaturePoint | null {
  const values = startSettings(settings);
  const own = entries.filter(
    entry => entry.method === method && belongs(entry, {...group, ...(values && {settings: values})}, axes),
  );
  return own.length === 1 ? {step: 0, lambdaMax: own[0]!.lambdaMax, preconditioned: null} : null;
}

/** λmax of every method under several conditions. */
export interface CurvatureOverConditions {
  /** `at the start`, `after 300 steps`. */
  when: string;
  /** What tells the conditions apart, one a place. */
  places: string[];
  /** Median λmax by place; null where it was not probed. */
  methods: {method: string; values: (number | null)[]}[];
}

/** At the start, where that has several conditions, and at the last point of the trainings, where those have. */
export function curvatureOverConditions(state: RunState): CurvatureOverConditions[] {
  const {entries: all, axes} = startsIn(state);
  const entries = inSweepOrder(all, state);
  // What a method has of its own stands beside all that others have.
  const starts = curvatureTables(state).flatMap(({rows: _, ...where}) =>
    entries.filter(entry => belongs(entry, where, axes)).map(({method, lambdaMax}) => ({method, lambdaMax, where})),
  );
  const ends = curvatureAlong(state).flatMap(({lines, ...where}) =>
    lines.flatMap(({method, points}) => {
      const last = points.at(-1);
      return last ? [{method, where, step: last.step, lambdaMax: last.lambdaMax}] : [];
    }),
  );
  const steps = [...new Set(ends.map(({step}) => step))];
  const after = steps.length === 1 ? `after ${steps[0]} steps` : 'at the last point of each training';
  return [over('at the start', starts), over(after, inSweepOrder(ends, state))].flatMap(one => one ?? []);
}

function over(
  when: string,
  found: readonly {method: string; lambdaMax: number; where: Conditions}[],
): CurvatureOverConditions | null {
  const all = new Map(found.map(({where}) => [wordsFor(where), where]));
  if (all.size < 2) return null;
  const texts = [...all.keys()];
  const methods = [...new Set(found.map(({method}) => method))];
  return {
    when,
    places: apart([...all.values()]),
    methods: methods.map(method => ({
      method,
      values: texts.map(text => {
        const own = found.find(one => one.method === method && wordsFor(one.where) === text);
        return own?.lambdaMax ?? null;
      }),
    })),
  };
}

/** Each in words, without what all have in common. */
function apart(groups: readonly Conditions[]): string[] {
  const parts = groups.map(group => [
    ...(group.model === null ? [] : [group.model]),
    ...conditionsInWords(group).split(', '),
  ]);
  const isCommon = (part: string) => parts.every(own => own.includes(part));
  return parts.map(own => own.filter(part => !isCommon(part)).join(', '));
}
