import type {MethodName} from './sweep.ts';
import {noRank} from './sweep.ts';

/** Of most methods. */
const usualRank = 8;
/** VeRA trains rank + outputs numbers a layer, not rank · (inputs + outputs): at LoRA's ranks it would hardly train any. */
const veraRank = 256;

/** The ranks of a method: its own, those of all methods, or its default. */
export function ranksOf(
  method: MethodName,
  own: {rank?: number[] | undefined},
  all: {rank?: number[] | undefined},
): number[] {
  if (method === 'full') return [noRank];
  return own.rank ?? all.rank ?? [method === 'vera' ? veraRank : usualRank];
}
