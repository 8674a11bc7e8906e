/** Several runs in one comparison: each other run's methods become curves of their own. */
import type {RunState} from '../fold.ts';
import {spreadOf} from '../spread.ts';
import {type Comparison, compare} from '../verdict.ts';

export interface OtherRun {
  /** Told apart by it: `lora (yesterday)`. */
  name: string;
  state: RunState;
}

/**
 * The comparisons of a run with the curves of others where they have the same task, metric, rank and batch size, and
 * behind them those that only others have.
 */
export function sideBySide(state: RunState, others: readonly OtherRun[]): Comparison[] {
  const own = compare(state);
  for (const other of others) {
    for (const comparison of compare(other.state)) {
      const {metric} = comparison;
      const curves = comparison.curves.map(curve => {
        const method = `${curve.method} (${other.name})`;
        return {...curve, method, peak: curve.peak && {...curve.peak, method}};
      });
      const place = own.findIndex(one => isSame(one, comparison));
      const known = own[place];
      if (known) {
        const all = [...known.curves, ...curves];
        const isUnderWay = known.isUnderWay || comparison.isUnderWay;
        own[place] = {...known, curves: all, spread: spreadOf(all, metric, known.judging), isUnderWay, isBeside: true};
      } else own.push({...comparison, curves, spread: spreadOf(curves, metric, comparison.judging), isBeside: true});
    }
  }
  return own;
}

function isSame(a: Comparison, b: Comparison): boolean {
  return (
    a.model === b.model &&
    a.task === b.task &&
    a.metric === b.metric &&
    a.rank === b.rank &&
    a.batchSize === b.batchSize &&
    JSON.stringify(a.settings) === JSON.stringify(b.settings)
  );
}
