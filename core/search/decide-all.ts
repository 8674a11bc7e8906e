/** All cells of a search, those whose scan starts from the measured curvature among them. */
import {curvatureByMethod, type MethodCurvature} from '../run/compare/curvature.ts';
import {startOf, startText} from '../run/compare/starts.ts';
import type {RunState} from '../run/fold.ts';
import {partsOf} from '../sweep/axes/axes.ts';
import {nameOf, type Trial} from '../sweep/sweep.ts';
import {decide} from './decide.ts';
import {factsOf} from './facts.ts';
import type {SearchRules} from './rules.ts';
import type {Cell, Decision} from './search.ts';

/** The method that the curvature of all others is measured by. */
export const reference = 'lora';

/**
 * The decisions of cells, in their order. With `search.start: curvature` the reference scans all of its rates; every other method
 * waits for its place and expects its own at that divided by its relative curvature (edge of stability). It is the only thing that
 * passes from one cell to another, and it is there to be read from the events at any time.
 */
export function decideAll(
  cells: readonly Cell[],
  state: Pick<RunState, 'trials' | 'places' | 'curvature'>,
  rules: SearchRules,
): Decision[] {
  const own = (cell: Cell): Decision => decide(cell, factsOf(cell, state, rules), rules);
  if (rules.search.start !== 'curvature') return cells.map(own);
  const curvature = curvatureByMethod(state);
  const first = ({trials}: Cell) => trials[0]![0]!;
  const placed = new Map(cells.filter(cell => first(cell).method === reference).map(cell => [cell.id, own(cell)]));
  return cells.map(cell => {
    const trial = first(cell);
    const {method, rank, batchSize} = trial;
    const base = cells.find(
      one =>
        placed.has(one.id) &&
        first(one).rank === rank &&
        first(one).batchSize === batchSize &&
        isSameSetting(first(one), first(cell)),
    );
    if (!base || method === reference) return placed.get(cell.id) ?? own(cell);
    const relative = relativeOf(curvature, trial);
    if (relative === null) return own(cell);
    const {place, stage} = placed.get(base.id)!;
    if (place !== null) return own({...cell, expected: place / relative});
    return stage === 'done' ? own(cell) : waiting(cell);
  });
}

const isSameSetting = (a: Trial, b: Trial): boolean => partsOf(a).join() === partsOf(b).join();

/** Null where it was not measured, or says nothing: that cell scans all of its rates. */
function relativeOf(curvature: readonly MethodCurvature[], trial: Trial): number | null {
  const {name: _, ...start} = startOf(trial);
  const own = curvature.find(
    ({method, rank, batchSize, ...of}) =>
      method === nameOf(trial) &&
      rank === trial.rank &&
      batchSize === trial.batchSize &&
      startText(of) === startText(start),
  );
  return own && own.relative !== null && own.relative > 0 ? own.relative : null;
}

function waiting({id}: Cell): Decision {
  const why = `It waits for the scan of ${reference}, from which its rates are predicted.`;
  return {cell: id, stage: 'scan', place: null, chosen: null, wanted: [], why};
}
