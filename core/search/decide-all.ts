/** All cells of a search, those whose scan starts from the measured curvature among them. */
import {grouped} from '../grouped.ts';
import {curvatureByMethod, type MethodCurvature} from '../run/compare/curvature.ts';
import {startOf, startText} from '../run/compare/starts.ts';
import type {RunState} from '../run/fold.ts';
import {partsOf} from '../sweep/axes/axes.ts';
import {nameOf, type Trial} from '../sweep/sweep.ts';
import {decide} from './decide.ts';
import {factsOf} from './facts.ts';
import type {SearchRules} from './rules.ts';
import type {Cell, Decision} from './search.ts';
import {decideTogether, type Member} from './together.ts';

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
  const groups = grouped(startsOf(cells, state, rules), ({cell}) => cell.group?.id ?? cell.id);
  const decisions = [...groups.values()].flatMap(members => decideTogether(members, rules));
  const byCell = new Map(decisions.map(one => [one.cell, one]));
  return cells.map(({id}) => byCell.get(id)!);
}

/** Each cell with its facts, where its best rate is expected, and its decision while it waits for that. */
function startsOf(
  cells: readonly Cell[],
  state: Pick<RunState, 'trials' | 'places' | 'curvature'>,
  rules: SearchRules,
): Member[] {
  const all = cells.map(cell => ({cell, facts: factsOf(cell, state, rules)}));
  if (rules.search.start !== 'curvature') return all;
  const curvature = curvatureByMethod(state);
  const first = ({trials}: Cell) => trials[0]![0]!;
  const references = all.filter(({cell}) => first(cell).method === reference);
  const placed = new Map(references.map(({cell, facts}) => [cell.id, decide(cell, facts, rules)]));
  return all.map(({cell, facts}) => {
    const trial = first(cell);
    const {method, rank, batchSize} = trial;
    const base = cells.find(
      one =>
        placed.has(one.id) &&
        first(one).rank === rank &&
        first(one).batchSize === batchSize &&
        isSameSetting(first(one), first(cell)),
    );
    const relative = base && method !== reference ? relativeOf(curvature, trial) : null;
    if (!base || relative === null) return {cell, facts};
    const {place, stage} = placed.get(base.id)!;
    if (place !== null) return {cell: {...cell, expected: place / relative}, facts};
    return {cell, facts, ...(stage !== 'done' && {waits: waiting(cell)})};
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
