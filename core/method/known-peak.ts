import type {KnownRates} from './method.ts';
import type {MethodName} from './methods.ts';
import {methods} from './methods.ts';

/** Where published results found a method's best learning rate. */
export interface KnownPeak {
  /** The interval the published best rates lie in; one point where one result is the nearest. */
  from: number;
  to: number;
  /** Whether the results are of the sweep's own model; rates of other models are a hint only. */
  sameModel: boolean;
  rows: KnownRates[];
}

/** The published peak nearest to a sweep's model (a folder or a hub id) and batch sizes; null where none is published. */
export function knownPeak(method: MethodName, model: string, batchSizes: readonly number[]): KnownPeak | null {
  const name = model.split(/[/\\]/).filter(Boolean).at(-1)?.toLowerCase();
  const {knownRates} = methods[method];
  if (knownRates.length === 0) return null;
  const own = knownRates.filter(row => row.model.toLowerCase() === name);
  const rows = own.length === 0 ? knownRates : nearestBatches(own, batchSizes);
  const best = rows.map(row => row.best);
  return {from: Math.min(...best), to: Math.max(...best), sameModel: own.length > 0, rows};
}

/** Of each batch size the row whose batch size is nearest, by ratio. */
function nearestBatches(rows: readonly KnownRates[], batchSizes: readonly number[]): KnownRates[] {
  const distance = (row: KnownRates, batchSize: number) => Math.abs(Math.log(row.batchSize / batchSize));
  const nearest = batchSizes.map(size => rows.reduce((a, b) => (distance(b, size) < distance(a, size) ? b : a)));
  return [...new Set(nearest)];
}
