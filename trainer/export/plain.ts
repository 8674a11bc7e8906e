/** An adapter that belongs to a changed base, as one that belongs to the base itself. */

import type {Adapter} from '../adapter/write-adapter.ts';
import type {Parts} from '../method/form.ts';

/** A plain LoRA: W + alpha/rank · B·A on the unchanged base. */
export interface PlainLora {
  rank: number;
  alpha: number;
  /** By module path. */
  factors: Map<string, Parts>;
}

/**
 * The adapter as a plain LoRA, exactly: W - s·B₀·A₀ + s·B·A = W + s·[B, -B₀]·[A; A₀], which has twice the rank and the
 * same scale. An adapter of the unchanged base stays as it is.
 */
export function plainLora({
  rank,
  alpha,
  factors,
  forms,
  start,
}: Pick<Adapter, 'rank' | 'alpha' | 'factors' | 'forms' | 'start'>): PlainLora {
  if (!start) return {rank, alpha, factors};
  const doubled = [...factors].map(([path, {A, B}]): [string, Parts] => {
    const before = start.get(path)!;
    const own = forms.get(path)!.form.rank;
    return [path, {A: stacked(A!, before['A']!), B: besideNegative(B!, before['B']!, own, B!.length / own)}];
  });
  return {rank: 2 * rank, alpha: 2 * alpha, factors: new Map(doubled)};
}

/** [A; A₀] */
function stacked(A: Float32Array, A0: Float32Array): Float32Array {
  const rows = new Float32Array(A.length + A0.length);
  rows.set(A);
  rows.set(A0, A.length);
  return rows;
}

/** [B, -B₀] of two [outputs, rank] */
function besideNegative(B: Float32Array, B0: Float32Array, rank: number, outputs: number): Float32Array {
  const columns = new Float32Array(2 * outputs * rank);
  for (let row = 0; row < outputs; row++) {
    columns.set(B.subarray(row * rank, (row + 1) * rank), 2 * row * rank);
    for (let i = 0; i < rank; i++) columns[(2 * row + 1) * rank + i] = -B0[row * rank + i]!;
  }
  return columns;
}
