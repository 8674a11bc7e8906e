import {type MethodName, methods} from '../method/methods.ts';
import {noRank} from './sweep.ts';

/** Of most methods. */
const usualRank = 8;

/** The ranks of a method: its own, those of all methods, or its default. */
export function ranksOf(
  method: MethodName,
  own: {rank?: number[] | undefined},
  all: {rank?: number[] | undefined},
): number[] {
  const {weights, defaultRank = usualRank} = methods[method];
  if (weights) return [noRank];
  return own.rank ?? all.rank ?? [defaultRank];
}
