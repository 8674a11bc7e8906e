/** Precisions that this machine cannot have: a run says the same before it begins, and only where it runs does it count. */
import type {Fault} from '../../core/sweep/inspection.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {bfloat16Fault} from '../engine/choose.ts';
import {precisionsOf} from '../run/sweep-file.ts';

export function precisionFaults(sweep: Sweep): Fault[] {
  const precisions = precisionsOf(sweep);
  const place = precisions.indexOf('bfloat16');
  const isOneOf = precisions.length > 1;
  const message = place < 0 ? null : bfloat16Fault(sweep.run, isOneOf ? 'leave bfloat16 out of the list' : undefined);
  if (message === null) return [];
  return [{code: 'resource/precision', message, path: ['training', 'precision', place]}];
}
