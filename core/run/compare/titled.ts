/** A comparison with its methods named as people write them, for sentences and tables that only people read. */
import {methodTitle} from '../../method/title.ts';
import type {Comparison} from '../verdict.ts';

/** All of it, so that what belongs together still has one name. */
export function titled(comparison: Comparison): Comparison {
  const {curves, spread, judging, challenged, left} = comparison;
  return {
    ...comparison,
    curves: curves.map(curve => ({...named(curve), peak: curve.peak && named(curve.peak)})),
    spread: spread && {
      ...spread,
      baseline: named(spread.baseline),
      ranking: spread.ranking.map(named),
      gaps: spread.gaps.map(named),
    },
    judging: {...judging, baseline: methodTitle(judging.baseline)},
    challenged: challenged.map(one => ({...named(one), by: methodTitle(one.by)})),
    left: left.map(named),
  };
}

function named<T extends {method: string}>(one: T): T {
  return {...one, method: methodTitle(one.method)};
}
